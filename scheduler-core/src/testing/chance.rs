//! What is drawn from a seed.

use std::{ops::Range, time::Duration};

use crate::random::seeded::SplitMix;

/// Draws from a seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chance(SplitMix);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(SplitMix(seed))
    }

    /// Another source, so that draws from this one do not depend on how many are drawn from that one.
    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.0.next())
    }

    /// A number below the bound; 0 where the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next().checked_rem(bound).unwrap_or(0)
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a `usize`")
    }

    pub(crate) fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }

    /// From as many milliseconds as the range's start to fewer than its end.
    pub(crate) fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(range.start + self.below(range.end.saturating_sub(range.start)))
    }

    /// From the negative bound to the bound.
    pub(crate) fn around_zero(&mut self, bound: i64) -> i64 {
        i64::try_from(self.below(2 * bound.unsigned_abs() + 1)).expect("below an `i64`") - bound
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }
}
