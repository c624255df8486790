//! What lies between an engine and its backends, where a test breaks it.

mod locks;
mod store;

use std::{fmt, fmt::Debug, str::FromStr, sync::Arc};

pub(crate) use locks::LinkedLocks;
pub(crate) use store::LinkedStore;

use serde::{Deserialize, Serialize};

use crate::occurrence::{UnknownWord, words};

words! {
    /// A call to a backend.
    Operation: "operation" {
        /// `Store::check`.
        Check = "check",
        /// `ExecutionStore::claim`.
        Claim = "claim",
        /// `ExecutionStore::find_claim`.
        FindClaim = "find_claim",
        /// `ExecutionStore::due`.
        Due = "due",
        /// `ExecutionStore::take`.
        Take = "take",
        /// `ExecutionStore::renew`.
        Renew = "renew",
        /// `ExecutionStore::finish`.
        Finish = "finish",
        /// `ExecutionStore::survey`.
        Survey = "survey",
        /// `ExecutionStore::advance`.
        Advance = "advance",
        /// `ExecutionStore::decide`.
        Decide = "decide",
        /// `ExecutionStore::recover`.
        Recover = "recover",
        /// `ExecutionStore::make_way`.
        MakeWay = "make_way",
        /// `ExecutionStore::request`.
        Request = "request",
        /// `OperatorStore::cancel`.
        Cancel = "cancel",
        /// Any other write of `OperatorStore`.
        Operate = "operate",
        /// `ReportStore::report`.
        Report = "report",
        /// `HistoryStore::prune`.
        Prune = "prune",
        /// Any other of `HistoryStore`, `OperatorStore::audit` and `ReportStore::logs`.
        Read = "read",
        /// `ControlStore::announce`.
        Announce = "announce",
        /// `ControlStore::heartbeat`.
        Heartbeat = "heartbeat",
        /// `ControlStore::leave`.
        Leave = "leave",
        /// Any read of `ControlStore`.
        States = "states",
        /// `LockBackend::check`.
        CheckLocks = "check_locks",
        /// `LockBackend::acquire`.
        Acquire = "acquire",
        /// `LockBackend::cursor`.
        Cursor = "cursor",
        /// `LockBackend::renew`.
        RenewLock = "renew_lock",
        /// `LockBackend::release`.
        Release = "release",
    }
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken<E> {
    /// It did not arrive.
    Unreachable,
    /// It was done, and its answer was lost.
    ReplyLost,
    /// The backend's own error.
    Backend(E),
}

/// Carries calls to a backend and their answers back.
pub(crate) trait Link: Clone + Debug + Send + Sync + 'static {
    /// A call that goes its way even when its caller is gone, as what was sent to a server does.
    fn carry<T: Send + 'static, E: Send + 'static>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> impl Future<Output = Result<T, Broken<E>>> + Send;

    /// A call that ends with its caller, as a transaction does whose client goes on within it.
    fn carry_within<T: Send, E: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> impl Future<Output = Result<T, Broken<E>>> + Send;
}

/// What a broken link says of itself.
fn broken() -> Box<dyn std::error::Error + Send + Sync> {
    "the test broke the link".into()
}

/// The slice as a call's own, which outlives its caller.
fn owned<T: Clone>(slice: &[T]) -> Arc<[T]> {
    slice.into()
}
