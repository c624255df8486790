//! Runs whose instance was lost (R6).

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, Utc};

use super::{
    finish::end_now,
    state::{Lease, State},
};
use crate::{
    identity::{ExecutionId, InstanceId},
    status::{Reason, Status},
    store::{NextAttempt, RecoverRequest, Recovered},
};

impl State {
    pub(super) fn recover(&mut self, request: &RecoverRequest, now: DateTime<Utc>) -> Vec<Recovered> {
        let is_lost = |lease: &Lease| lease.expires_at <= now && lease.ttl <= request.healthy_for;
        let expired = self.leases.iter().filter(|(_, lease)| is_lost(lease)).map(|(id, _)| *id);
        let expired: Vec<_> = expired.take(request.limit).collect();
        let recovered = expired.into_iter().filter_map(|id| self.abandon(id, now)).collect();
        let heard: HashSet<InstanceId> =
            self.instances.keys().copied().filter(|id| self.is_heard(*id, request.healthy_for, now)).collect();
        self.cancel_waiting_for(|only| !heard.contains(&only), Reason::InstanceLost, now);
        recovered
    }

    fn abandon(&mut self, id: ExecutionId, now: DateTime<Utc>) -> Option<Recovered> {
        let lease = self.leases.remove(&id)?;
        let held_key = self.execution(id)?.holds_key;
        self.change(id, |row| {
            row.status = Status::Abandoned;
            end_now(row, now);
        });
        let row = self.execution(id)?.clone();
        // An operator's cancel earns no further attempt, whoever comes to write the end.
        let is_rerun = lease.rerun_on_crash && !lease.cancel_requested && row.attempt < row.max_attempts;
        let next = NextAttempt { after: Duration::ZERO, holds_key: held_key };
        let next = is_rerun.then(|| self.follow(&row, held_key, next, now));
        if next.is_none() {
            self.follow_up(id, now);
        }
        Some(Recovered {
            execution_id: id,
            job_id: row.job_id,
            occurrence: row.occurrence,
            attempt: row.attempt,
            instance: row.instance,
            next,
        })
    }

    #[cfg(any(test, feature = "testing"))]
    pub(super) fn expire_lease(&mut self, execution: ExecutionId, now: DateTime<Utc>) {
        if let Some(lease) = self.leases.get_mut(&execution) {
            lease.expires_at = now;
        }
    }
}
