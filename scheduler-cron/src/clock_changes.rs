//! What becomes of occurrences where a zone's clock is put forward or back.

/// What to do when clocks change, where an expression's own class should not decide.
///
/// The default leaves it to the class, after Vixie's source: an expression whose minute or hour starts with `*` keeps an interval (nothing
/// runs in a gap, both passes of a fold run), every other keeps a fixed time (a skipped time runs once at the first instant after the gap, a
/// repeated one in the first pass).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ClockChangePolicy {
    /// For times that the clock skips; `None` leaves it to the class.
    pub gap: Option<GapPolicy>,
    /// For times that the clock shows twice; `None` leaves it to the class.
    pub fold: Option<FoldPolicy>,
}

/// What to do with times that the clock skips. A gap over three hours is a day that does not exist, and has no run under any policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapPolicy {
    /// All times in the gap are one occurrence, at the first instant after it.
    Shift,
    /// They do not occur.
    Skip,
}

/// What to do with times that the clock shows twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FoldPolicy {
    /// They occur in the first pass.
    First,
    /// They occur in the last pass.
    Last,
    /// They occur in both.
    Both,
}

/// The policy in force for one expression.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockChanges {
    pub(crate) gap: GapPolicy,
    pub(crate) fold: FoldPolicy,
}

impl ClockChangePolicy {
    pub(crate) fn resolve(self, interval: bool) -> ClockChanges {
        let by_class =
            if interval { (GapPolicy::Skip, FoldPolicy::Both) } else { (GapPolicy::Shift, FoldPolicy::First) };
        ClockChanges { gap: self.gap.unwrap_or(by_class.0), fold: self.fold.unwrap_or(by_class.1) }
    }
}
