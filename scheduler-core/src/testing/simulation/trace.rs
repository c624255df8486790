//! What happened, in order: as a hash, and in words where asked.

use std::{
    fmt::Debug,
    hash::{DefaultHasher, Hash, Hasher as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::time::VirtualTime;

/// Notes what happens. Two runs of a seed have the same hash.
#[derive(Debug, Clone)]
pub(crate) struct Trace(Arc<Mutex<Notes>>);

#[derive(Debug)]
struct Notes {
    time: VirtualTime,
    hasher: DefaultHasher,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(time: VirtualTime, in_words: bool) -> Self {
        let lines = in_words.then(Vec::new);
        Self(Arc::new(Mutex::new(Notes { time, hasher: DefaultHasher::new(), lines })))
    }

    /// Notes that something happened now.
    pub(crate) fn note(&self, what: impl Hash + Debug) {
        let mut notes = self.notes();
        let at = notes.time.elapsed();
        at.hash(&mut notes.hasher);
        what.hash(&mut notes.hasher);
        if let Some(lines) = &mut notes.lines {
            lines.push(format!("{:>9.3} {what:?}", at.as_secs_f64()));
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.notes().hasher.finish()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.notes().lines.clone().unwrap_or_default()
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
