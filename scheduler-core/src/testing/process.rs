//! A process of a test's: the tasks of one engine, and the bodies that it runs.

use super::executor::{Executor, Group};
use crate::engine::Tasks;

/// What has a process of its own in production.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// What runs on the engine's thread.
    pub(crate) engine: Group,
    /// What runs on the service's runtime.
    pub(crate) service: Group,
}

impl Process {
    pub(crate) fn new(executor: &Executor) -> Self {
        Self { engine: executor.group(), service: executor.group() }
    }

    pub(crate) fn tasks(&self) -> Tasks {
        Tasks::Process { engine: self.engine.clone(), service: self.service.clone() }
    }

    /// Drops all that runs in it, at once.
    pub(crate) fn crash(&self) {
        self.engine.crash();
        self.service.crash();
    }
}
