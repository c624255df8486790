//! What the bodies saw: how often each attempt started, and whether any did before its instant.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use scheduler::{
    clock::{Clock as _, SystemClock},
    context::JobContext,
};

/// An attempt: its job, the instant in milliseconds, its number.
type Attempt = (String, i64, u32);

/// What all instances of a test have started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bodies(Arc<Mutex<Started>>);

#[derive(Debug, Default)]
struct Started {
    attempts: HashMap<Attempt, usize>,
    early: Vec<Attempt>,
}

impl Bodies {
    pub(crate) fn start(&self, context: &JobContext) {
        let now = SystemClock.now();
        let scheduled_at = context.scheduled_at().to_utc();
        let attempt = (context.job_id().to_string(), scheduled_at.timestamp_millis(), context.attempt());
        let mut started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now < scheduled_at {
            started.early.push(attempt.clone());
        }
        *started.attempts.entry(attempt).or_default() += 1;
    }

    /// How many bodies have started.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).attempts.values().sum()
    }

    /// How many occurrences of these seconds had a body.
    pub(crate) fn ran(&self, seconds: std::ops::Range<i64>) -> usize {
        let started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        started
            .attempts
            .keys()
            .filter(|(_, millis, attempt)| seconds.contains(&(millis / 1_000)) && *attempt == 1)
            .count()
    }

    /// Attempts that started more than once.
    pub(crate) fn doubled(&self) -> Vec<Attempt> {
        let started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        started.attempts.iter().filter(|(_, count)| **count > 1).map(|(attempt, _)| attempt.clone()).collect()
    }

    /// Attempts that started before their instant.
    pub(crate) fn early(&self) -> Vec<Attempt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).early.clone()
    }
}
