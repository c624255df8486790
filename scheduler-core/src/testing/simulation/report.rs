//! What a simulation came to.

use std::fmt;

use super::{Backends, Effect, FaultKind};
use crate::{execution::Execution, testing::Violation};

/// What a simulation came to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The seed: it does the same again.
    pub seed: u64,
    /// How many machines there were.
    pub machines: usize,
    /// Which backends they had.
    pub backends: Backends,
    /// How many occurrences the schedules named.
    pub occurrences: usize,
    /// The faults that came, in order.
    pub faults: Vec<FaultKind>,
    /// The history at the end.
    pub executions: Vec<Execution>,
    /// What bodies did, in order.
    pub effects: Vec<Effect>,
    /// What must never be, and was.
    pub violations: Vec<Violation>,
    /// The hash of all that happened, in order.
    pub hash: u64,
    /// All that happened, in words, if it was asked for.
    pub trace: Vec<String>,
}

/// The seed, what it had, and what was wrong.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, machines, backends, occurrences, .. } = self;
        write!(
            f,
            "seed {seed}: {machines} machines, {backends:?}, {occurrences} occurrences, {} faults, {} starts",
            self.faults.len(),
            self.starts()
        )?;
        self.violations.iter().try_for_each(|violation| write!(f, "\n- {violation}"))
    }
}

impl Report {
    /// How many bodies started.
    #[must_use]
    pub fn starts(&self) -> usize {
        self.effects.iter().filter(|effect| effect.kind == super::EffectKind::Started).count()
    }
}
