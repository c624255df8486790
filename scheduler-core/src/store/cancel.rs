//! Stopping what runs, and what waits to run.

use super::Actor;
use crate::{execution::Execution, identity::ExecutionId, status::Status};

/// A request to stop an execution.
#[derive(Debug, Clone)]
pub struct CancelRequest {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Who asks.
    pub actor: Actor,
}

/// What became of a request to stop an execution.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CancelOutcome {
    /// It waited: its row is `cancelled (by_request)`, and gives up the key if it held it.
    Cancelled(Box<Execution>),
    /// It runs: the next renewal of its lease carries the request (R3).
    Asked,
    /// It has ended: nothing was written.
    Ended(Status),
    /// There is no such row.
    Unknown,
}
