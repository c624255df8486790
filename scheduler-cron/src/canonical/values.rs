//! The values of a field, written as a list that is short: a long one would make an expression that is too long to be read again.

use std::fmt::{self, Write};

use super::List;

/// A list that is no longer is written as it is.
const LONGEST_PLAIN: usize = 24;

/// Values as bits, the smallest that the field has being bit 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Values {
    words: [u64; 4],
    min: u16,
}

/// Values at equal distances.
#[derive(Clone, Copy)]
struct Progression {
    first: u16,
    last: u16,
    step: u16,
}

impl Values {
    /// Values whose numbers are those of the bits.
    pub(super) fn of_bits(bits: u64) -> Values {
        Values { words: [bits, 0, 0, 0], min: 0 }
    }

    /// The values from `min` to `max` that are contained.
    pub(super) fn of(min: u16, max: u16, contains: impl Fn(u16) -> bool) -> Values {
        let mut values = Values { words: [0; 4], min };
        (min..=max).filter(|&value| contains(value)).for_each(|value| values.set(value - min, true));
        values
    }

    /// Writes single values, ranges, and ranges with steps: by runs, as people write them, or overlapping where that is shorter.
    pub(super) fn write(self, list: &mut List<'_, '_>) -> fmt::Result {
        let (mut runs, mut progressions) = (Length(0), Length(0));
        self.by_runs(|item| runs.item(item))?;
        if runs.0 > LONGEST_PLAIN {
            self.by_progressions(|item| progressions.item(item))?;
            if progressions.0 < runs.0 {
                return self.by_progressions(|item| list.item(|f| write!(f, "{item}")));
            }
        }
        self.by_runs(|item| list.item(|f| write!(f, "{item}")))
    }

    /// One range with a step where the whole set is one, else runs of neighbours.
    fn by_runs(self, mut item: impl FnMut(Progression) -> fmt::Result) -> fmt::Result {
        let (Some(first), Some(last)) = (self.first(), self.last()) else { return Ok(()) };
        if self.count() >= 3 {
            let second = (first + 1..=last).find(|&value| self.has(value)).expect("there are three");
            let whole = self.progression(first, second - first);
            if whole.step > 1 && whole.last == last && whole.count() == self.count() {
                return item(self.shown(whole));
            }
        }
        let mut left = self;
        while let Some(first) = left.first() {
            let mut run = self.progression(first, 1);
            if run.count() < 3 {
                run.last = first;
            }
            item(self.shown(run))?;
            left.remove(run);
        }
        Ok(())
    }

    /// Of all progressions within the set the one that has most values which are not written yet, again and again.
    fn by_progressions(self, mut item: impl FnMut(Progression) -> fmt::Result) -> fmt::Result {
        let mut left = self;
        while let (Some(first), Some(last)) = (left.first(), left.last()) {
            let mut best = None;
            // Two values are no longer one by one.
            let mut most = 2;
            for step in 1.. {
                if (last - first) / step < most {
                    break;
                }
                // Three at least, and none that the progression of an earlier value has too.
                let begins = |&value: &u16| {
                    left.has(value)
                        && self.has(value + step)
                        && self.has(value + 2 * step)
                        && (value < step || !left.has(value - step))
                };
                for first in left.each().filter(begins) {
                    let whole = self.progression(first, step);
                    // What lies after the last value that is left was written.
                    let (mut fresh, mut end) = (0, first);
                    for value in (first..=whole.last).step_by(step.into()).filter(|&value| left.has(value)) {
                        (fresh, end) = (fresh + 1, value);
                    }
                    if fresh > most {
                        (most, best) = (fresh, Some(Progression { last: end, ..whole }));
                    }
                }
            }
            let Some(best) = best else { return left.by_runs(item) };
            item(self.shown(best))?;
            left.remove(best);
        }
        Ok(())
    }

    /// The progression of values that begins here.
    fn progression(self, first: u16, step: u16) -> Progression {
        let last = (first..).step_by(step.into()).take_while(|&value| self.has(value)).last().unwrap_or(first);
        Progression { first, last, step }
    }

    fn shown(self, Progression { first, last, step }: Progression) -> Progression {
        Progression { first: first + self.min, last: last + self.min, step }
    }

    fn has(self, value: u16) -> bool {
        self.words.get(usize::from(value / 64)).is_some_and(|word| word >> (value % 64) & 1 != 0)
    }

    fn set(&mut self, value: u16, on: bool) {
        let (word, bit) = (&mut self.words[usize::from(value / 64)], 1 << (value % 64));
        *word = if on { *word | bit } else { *word & !bit };
    }

    fn remove(&mut self, Progression { first, last, step }: Progression) {
        (first..=last).step_by(step.into()).for_each(|value| self.set(value, false));
    }

    /// All values, in order.
    fn each(self) -> impl Iterator<Item = u16> {
        (0..).step_by(64).zip(self.words).flat_map(|(start, mut word)| {
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros())?;
                word &= word - 1;
                Some(start + bit as u16)
            })
        })
    }

    fn first(self) -> Option<u16> {
        self.each().next()
    }

    fn last(self) -> Option<u16> {
        self.each().last()
    }

    fn count(self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }
}

impl Progression {
    fn count(self) -> u32 {
        u32::from((self.last - self.first) / self.step + 1)
    }
}

impl fmt::Display for Progression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count() {
            1 => write!(f, "{}", self.first),
            _ if self.step == 1 => write!(f, "{}-{}", self.first, self.last),
            _ => write!(f, "{}-{}/{}", self.first, self.last, self.step),
        }
    }
}

/// How long a list would be.
struct Length(usize);

impl Length {
    fn item(&mut self, item: Progression) -> fmt::Result {
        write!(self, "{item},")
    }
}

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}
