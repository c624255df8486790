//! Where the engine's tasks and the bodies run.

use tokio::{runtime::Handle, task::JoinHandle};

#[cfg(any(test, feature = "testing"))]
use crate::testing::executor::{Group, SpawnedTask};

/// Where tasks run.
#[derive(Debug, Clone)]
pub(crate) enum Tasks {
    /// The engine's own on the runtime of its thread, bodies on the service's (R25).
    Runtimes {
        /// The service's runtime.
        service: Handle,
    },
    /// All in one process of a test's.
    #[cfg(any(test, feature = "testing"))]
    Process {
        /// What has a thread of its own in production.
        engine: Group,
        /// What runs on the service's runtime.
        service: Group,
    },
}

impl Tasks {
    /// Spawns a task of the engine's own; called on the engine's runtime.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Task {
        match self {
            Self::Runtimes { .. } => Task::Tokio(tokio::spawn(task)),
            #[cfg(any(test, feature = "testing"))]
            Self::Process { engine, .. } => Task::InProcess(engine.spawn(task)),
        }
    }

    /// Spawns a body.
    pub(crate) fn spawn_body(&self, body: impl Future<Output = ()> + Send + 'static) -> Task {
        match self {
            Self::Runtimes { service } => Task::Tokio(service.spawn(body)),
            #[cfg(any(test, feature = "testing"))]
            Self::Process { service, .. } => Task::InProcess(service.spawn(body)),
        }
    }
}

/// A task; it goes on when this is dropped.
#[derive(Debug)]
pub(crate) enum Task {
    Tokio(JoinHandle<()>),
    #[cfg(any(test, feature = "testing"))]
    InProcess(SpawnedTask),
}

impl Task {
    /// Drops the task at its next await.
    pub(crate) fn abort(&self) {
        match self {
            Self::Tokio(task) => task.abort(),
            #[cfg(any(test, feature = "testing"))]
            Self::InProcess(task) => task.abort(),
        }
    }

    /// Returns when the task has ended, however it did.
    pub(crate) async fn ended(self) {
        match self {
            Self::Tokio(task) => drop(task.await),
            #[cfg(any(test, feature = "testing"))]
            Self::InProcess(task) => task.ended().await,
        }
    }
}
