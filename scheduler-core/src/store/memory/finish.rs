//! Leases kept, runs stopped and outcomes written (R3, R9).

use chrono::{DateTime, Utc};

use super::state::{State, later};
use crate::{
    execution::Execution,
    identity::ExecutionId,
    status::{Reason, Status},
    store::{Finish, FinishOutcome, HeldLease, RenewedLease},
};

impl State {
    pub(super) fn renew(&mut self, held: &HeldLease, now: DateTime<Utc>) -> Option<RenewedLease> {
        let lease = self.leases.get_mut(&held.execution_id).filter(|lease| lease.fence == held.fence)?;
        lease.expires_at = later(now, held.lease);
        lease.ttl = held.lease;
        let cancel_requested = lease.cancel_requested;
        Some(RenewedLease { execution_id: held.execution_id, fence: held.fence, cancel_requested })
    }

    pub(super) fn finish(&mut self, finish: &Finish, now: DateTime<Utc>) -> FinishOutcome {
        let id = finish.execution_id;
        let Some(row) = self.execution(id).filter(|row| row.fence == Some(finish.fence)) else {
            return FinishOutcome::Fenced;
        };
        match row.status {
            Status::Running => self.finish_running(finish, now),
            Status::Abandoned if finish.reason == Some(Reason::UnknownCommit) && self.next_of(row).is_none() => {
                self.follow_abandoned(finish, now)
            }
            _ if is_result(row, finish) => {
                FinishOutcome::Finished { status: row.status, late: row.late, next: self.next_of(row) }
            }
            Status::Abandoned if self.next_of(row).is_none() => {
                self.end(id, finish, now);
                self.change(id, |row| row.late = true);
                self.follow_up(id, now);
                FinishOutcome::Finished { status: finish.status, late: true, next: None }
            }
            _ => FinishOutcome::Fenced,
        }
    }

    fn finish_running(&mut self, finish: &Finish, now: DateTime<Utc>) -> FinishOutcome {
        let id = finish.execution_id;
        let is_stopped = self.leases.remove(&id).is_some_and(|lease| lease.cancel_requested);
        let is_cancelled = is_stopped && finish.status != Status::Succeeded;
        let held_key = self.execution(id).is_some_and(|row| row.holds_key);
        self.end(id, finish, now);
        if is_cancelled {
            self.change(id, |row| {
                row.status = Status::Cancelled;
                row.reason = Some(Reason::ByRequest);
            });
        }
        let ended = self.execution(id).cloned();
        let next = ended.as_ref().zip(finish.next.filter(|_| !is_cancelled));
        let next = next
            .filter(|(ended, _)| ended.attempt < ended.max_attempts)
            .map(|(ended, next)| self.follow(ended, held_key, next, now));
        if next.is_none() {
            self.follow_up(id, now);
        }
        let status = if is_cancelled { Status::Cancelled } else { finish.status };
        FinishOutcome::Finished { status, late: false, next }
    }

    /// The next attempt after a claim without a body, of which recovery could not know that it had none (R8).
    fn follow_abandoned(&mut self, finish: &Finish, now: DateTime<Utc>) -> FinishOutcome {
        let id = finish.execution_id;
        self.change(id, |row| {
            row.reason = finish.reason;
            row.message.clone_from(&finish.message);
        });
        let row = self.execution(id).cloned();
        let next = row.as_ref().zip(finish.next).filter(|(row, _)| row.attempt < row.max_attempts);
        let next = next.map(|(row, next)| self.follow(row, false, next, now));
        FinishOutcome::Finished { status: Status::Abandoned, late: false, next }
    }

    /// Writes an outcome; key and lease are given up by it.
    fn end(&mut self, id: ExecutionId, finish: &Finish, now: DateTime<Utc>) {
        self.change(id, |row| {
            row.status = finish.status;
            row.reason = finish.reason;
            row.message.clone_from(&finish.message);
            row.error_trace.clone_from(&finish.error_trace);
            row.result_data.clone_from(&finish.result_data);
            end_now(row, now);
        });
    }

    /// The attempt after a row's.
    pub(super) fn next_of(&self, row: &Execution) -> Option<ExecutionId> {
        self.attempts(&row.job_id, &row.occurrence).iter().copied().find(|attempt| *attempt > row.id)
    }
}

/// Sets when a run ended, and that it holds nothing any more.
pub(super) fn end_now(row: &mut Execution, now: DateTime<Utc>) {
    // A body may have started a little before its instant, by a clock that is wrong.
    row.finished_at = Some(row.started_at.map_or(now, |started_at| started_at.max(now)));
    row.duration_seconds = row.started_at.map(|started_at| {
        let millis = u32::try_from((now - started_at).num_milliseconds().max(0)).unwrap_or(u32::MAX);
        f64::from(millis) / 1_000.0
    });
    row.holds_key = false;
}

/// Whether a row already shows what an outcome asks for: the reply of an earlier call was lost.
fn is_result(row: &Execution, finish: &Finish) -> bool {
    let is_cancelled =
        row.status == Status::Cancelled && row.reason == Some(Reason::ByRequest) && finish.status != Status::Succeeded;
    row.status == finish.status || is_cancelled
}
