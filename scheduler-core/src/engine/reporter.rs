//! What one execution says while it runs: its log lines and its progress.

mod lines;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use self::lines::Lines;
use super::Engine;
use crate::{execution::Progress, identity::ExecutionId, store::Report};

/// Takes what an execution says, and holds it until it is written. Never waits for anything but its own short lock.
#[derive(Debug)]
pub(crate) struct Reporter {
    execution_id: ExecutionId,
    /// Gone once the scheduler has stopped: what a task says that outlived it is not kept.
    engine: Weak<Engine>,
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    lines: Lines,
    progress: Option<Progress>,
    /// Whether it waits among the others to be written.
    is_waiting: bool,
}

impl Reporter {
    pub(crate) fn new(execution_id: ExecutionId, engine: &Arc<Engine>) -> Arc<Self> {
        Arc::new(Self { execution_id, engine: Arc::downgrade(engine), said: Mutex::default() })
    }

    /// Of an execution that no engine runs.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn of_nobody(execution_id: ExecutionId) -> Arc<Self> {
        Arc::new(Self { execution_id, engine: Weak::new(), said: Mutex::default() })
    }

    /// Keeps a line, or counts it where there is no room.
    #[cfg(feature = "logs")]
    pub(crate) fn log(self: &Arc<Self>, level: crate::logs::LogLevel, target: &str, message: String) {
        use crate::store::LogLine;

        let Some(engine) = self.engine.upgrade() else { return };
        let target = crate::outcome::cut_text(target.to_owned(), target.len(), LogLine::LONGEST_TARGET);
        let at = engine.now();
        let has_room = engine.reports.reserve(LogLine::bytes(&target, &message));
        self.say(&engine, |said| {
            let number = said.lines.count();
            if has_room {
                let line = LogLine { place: 0, number, at, level, target, message };
                engine.reports.release(said.lines.add(line));
            }
            true
        });
    }

    /// Notes how far the execution is.
    pub(crate) fn progress(self: &Arc<Self>, progress: Progress) {
        let Some(engine) = self.engine.upgrade() else { return };
        self.say(&engine, |said| said.progress.replace(progress) != Some(progress));
    }

    /// Takes what is not written yet.
    pub(super) fn take(&self) -> Report {
        let mut said = self.said();
        said.is_waiting = false;
        Report {
            execution_id: self.execution_id,
            logged: said.lines.logged(),
            lines: said.lines.take(),
            progress: said.progress,
        }
    }

    /// Whether there is anything to write.
    pub(super) fn is_waiting(&self) -> bool {
        self.said().is_waiting
    }

    /// Changes what was said, and has it written where that made a difference.
    fn say(self: &Arc<Self>, engine: &Engine, change: impl FnOnce(&mut Said) -> bool) {
        let mut said = self.said();
        if change(&mut said) && !std::mem::replace(&mut said.is_waiting, true) {
            drop(said);
            engine.reports.push(Arc::clone(self));
        }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
