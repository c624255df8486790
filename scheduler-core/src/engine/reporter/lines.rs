//! The lines of one execution that are not written yet.

use std::collections::VecDeque;

#[cfg(any(test, feature = "logs"))]
use crate::logs::{FIRST_BYTES, FIRST_LINES, LAST_LINES};
use crate::store::LogLine;

/// The first lines, and the last ones beyond them.
///
/// Each has a place, in which a later one of the last lines replaces an earlier one, here as well as in the store: so what
/// is written while the execution runs is bounded without anything being deleted.
#[derive(Debug, Default)]
pub(super) struct Lines {
    logged: u64,
    first: Vec<LogLine>,
    last: VecDeque<LogLine>,
    /// How many of the first lines there were, and how many bytes they had.
    #[cfg(any(test, feature = "logs"))]
    first_count: usize,
    #[cfg(any(test, feature = "logs"))]
    first_bytes: usize,
    /// How many lines there were beyond them; none while there is room among the first.
    #[cfg(any(test, feature = "logs"))]
    last_count: usize,
}

impl Lines {
    /// How many there were, whether kept or not.
    pub(super) fn logged(&self) -> u64 {
        self.logged
    }

    /// Takes those that are not written yet.
    pub(super) fn take(&mut self) -> Vec<LogLine> {
        let mut lines = std::mem::take(&mut self.first);
        lines.extend(self.last.drain(..));
        lines
    }
}

#[cfg(any(test, feature = "logs"))]
impl Lines {
    /// Counts a line; its number, from 1.
    pub(super) fn count(&mut self) -> u64 {
        self.logged += 1;
        self.logged
    }

    /// Adds a line in its place; the bytes of the one that it replaces.
    pub(super) fn add(&mut self, mut line: LogLine) -> usize {
        let bytes = line.size();
        if self.last_count == 0 && self.first_count < FIRST_LINES && self.first_bytes + bytes <= FIRST_BYTES {
            line.place = self.first_count;
            self.first_count += 1;
            self.first_bytes += bytes;
            self.first.push(line);
            return 0;
        }
        line.place = FIRST_LINES + self.last_count % LAST_LINES;
        self.last_count += 1;
        self.last.push_back(line);
        let replaced = if self.last.len() > LAST_LINES { self.last.pop_front() } else { None };
        replaced.map_or(0, |line| line.size())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::logs::LogLevel;

    fn add(lines: &mut Lines, message: String) -> usize {
        let number = lines.count();
        let (at, level, target) = (DateTime::UNIX_EPOCH, LogLevel::Info, "test".to_owned());
        lines.add(LogLine { place: 0, number, at, level, target, message })
    }

    fn numbers(lines: &[LogLine]) -> Vec<u64> {
        lines.iter().map(|line| line.number).collect()
    }

    #[test]
    fn the_first_and_the_last_of_a_million_lines_are_kept() {
        let mut lines = Lines::default();
        for n in 1..=1_000_000 {
            add(&mut lines, n.to_string());
        }
        assert_eq!(lines.logged(), 1_000_000);
        let kept = lines.take();
        let expected: Vec<u64> = (1..=900).chain(999_901..=1_000_000).collect();
        assert_eq!(numbers(&kept), expected);
        let places: std::collections::BTreeSet<_> = kept.iter().map(|line| line.place).collect();
        assert_eq!((places.len(), places.last()), (1_000, Some(&999)), "each has a place of its own");
        assert!(lines.take().is_empty());
    }

    #[test]
    fn a_later_line_replaces_one_that_was_written_already() {
        let mut lines = Lines::default();
        for n in 1..=1_000 {
            add(&mut lines, n.to_string());
        }
        let written = lines.take();
        add(&mut lines, "one more".to_owned());
        let more = lines.take();
        assert_eq!((more[0].number, more[0].place), (1_001, written[900].place));
    }

    #[test]
    fn long_lines_fill_the_room_of_the_first_ones_sooner() {
        let mut lines = Lines::default();
        let mut freed = 0;
        for _ in 0..10_000 {
            freed += add(&mut lines, "x".repeat(4_096));
        }
        let kept = lines.take();
        let bytes: usize = kept.iter().map(LogLine::size).sum();
        assert!(bytes < 1024 * 1024, "{bytes}");
        assert_eq!(freed + bytes, 10_000 * kept[0].size(), "what was replaced is given back");
        assert_eq!(kept.last().map(|line| line.number), Some(10_000));
        let first = kept.iter().filter(|line| line.place < FIRST_LINES).count();
        assert!((100..FIRST_LINES).contains(&first), "{first}");
        // A short one does not go among the first again, where it would stand before longer ones that came earlier.
        add(&mut lines, String::new());
        assert!(lines.take()[0].place >= FIRST_LINES);
    }
}
