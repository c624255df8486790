//! Where things are on the picture.

use chrono::{DateTime, TimeDelta, Utc};

use super::{AHEAD, BACK};

/// The measures of a picture, in its own units: those of the wide one are about a pixel, those of the narrow one on a phone.
pub(super) struct Canvas {
    pub(super) class: &'static str,
    pub(super) width: f64,
    /// Where the time begins; before it are the jobs' names, unless they stand above their lines.
    pub(super) left: f64,
    /// A job's height.
    pub(super) line: usize,
    /// How far below its top a job's marks are.
    pub(super) marks: usize,
    /// Every how many hours a line is drawn.
    pub(super) hours: u32,
    /// How many marks of a job stand on either side of now; more are a band.
    pub(super) most: usize,
    /// How long a part of a band is.
    pub(super) part: TimeDelta,
    /// How many characters a name has room for.
    pub(super) name: usize,
    /// Whether a mark leads to its execution: a finger meets none.
    pub(super) has_links: bool,
}

/// The height above the first job, for the hours.
pub(super) const TOP: usize = 24;
/// And below the last one, for the present.
pub(super) const BOTTOM: usize = 18;

impl Canvas {
    pub(super) const WIDE: Self = Self {
        class: "chart on-wide",
        width: 1_160.0,
        left: 210.0,
        line: 24,
        marks: 6,
        hours: 3,
        most: 100,
        part: TimeDelta::minutes(15),
        name: 32,
        has_links: true,
    };
    pub(super) const NARROW: Self = Self {
        class: "chart on-narrow",
        width: 340.0,
        left: 0.0,
        line: 40,
        marks: 20,
        hours: 6,
        most: 30,
        part: TimeDelta::minutes(40),
        name: 44,
        has_links: false,
    };

    /// How far to the right an instant is.
    pub(super) fn x(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
        let share = (at - (now - BACK)).as_seconds_f64() / (BACK + AHEAD).as_seconds_f64();
        self.left + share.clamp(0.0, 1.0) * (self.width - self.left)
    }

    /// How wide a time is.
    pub(super) fn wide(&self, seconds: f64) -> f64 {
        seconds / (BACK + AHEAD).as_seconds_f64() * (self.width - self.left)
    }

    /// How high a picture of so many jobs is.
    pub(super) fn height(&self, jobs: usize) -> usize {
        TOP + jobs * self.line + BOTTOM
    }

    /// Where a text of so many units stands that belongs beside `x`, and which of its ends that is: none is cut.
    pub(super) fn beside(&self, x: f64, long: f64) -> (f64, &'static str) {
        if x + 3.0 + long > self.width { (x - 3.0, "end") } else { (x + 3.0, "start") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instant_is_on_the_picture_and_no_text_is_cut_at_its_end() {
        let now = DateTime::UNIX_EPOCH;
        for canvas in [Canvas::WIDE, Canvas::NARROW] {
            assert_eq!(canvas.x(now - BACK, now), canvas.left);
            assert_eq!(canvas.x(now + AHEAD, now), canvas.width);
            assert_eq!(canvas.x(now + AHEAD * 2, now), canvas.width);
            let third = canvas.left + (canvas.width - canvas.left) / 3.0;
            assert!((canvas.x(now, now) - third).abs() < 1e-9);
            for x in [canvas.left, third, canvas.width - 20.0, canvas.width] {
                let (at, anchor) = canvas.beside(x, 40.0);
                let (start, end) = if anchor == "end" { (at - 40.0, at) } else { (at, at + 40.0) };
                assert!(start >= 0.0 && end <= canvas.width, "{x}: {start} to {end}");
            }
        }
    }
}
