//! Running what never ran, and one more attempt (R20).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::state::State;
use crate::{
    identity::JobId,
    occurrence::{OccurrenceKey, Origin},
    status::Status,
    store::{BackfillAnswer, BackfillRefusal, BackfillRequest, NextAttempt, RetryOutcome, RetryRequest},
};

impl State {
    pub(super) fn backfill(&mut self, request: &BackfillRequest, now: DateTime<Utc>) -> Option<Vec<BackfillAnswer>> {
        self.jobs.get(&request.job_id)?;
        let answers: Vec<_> = request.occurrences.iter().map(|at| self.backfill_one(request, *at, now)).collect();
        if let Some(record) = request.audit(&answers) {
            self.audit.append(record, now);
        }
        Some(answers)
    }

    fn backfill_one(&mut self, request: &BackfillRequest, at: DateTime<Utc>, now: DateTime<Utc>) -> BackfillAnswer {
        let attempt = match self.next_backfill(&request.job_id, at, now) {
            Ok(attempt) => attempt,
            Err(refusal) => return BackfillAnswer::Refused(refusal),
        };
        if request.dry_run {
            return BackfillAnswer::Waits { attempt, execution_id: None };
        }
        let mut row = self.draft(&request.job_id, &OccurrenceKey::scheduled(at), Origin::Backfill, at, now);
        row.attempt = attempt;
        row.max_attempts = attempt.saturating_add(request.retries);
        row.not_before = now;
        row.triggered_by = Some(request.actor.who.clone());
        BackfillAnswer::Waits { attempt, execution_id: Some(self.insert(row, None)) }
    }

    /// The number of the attempt that an occurrence would get.
    fn next_backfill(&self, job_id: &JobId, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<u32, BackfillRefusal> {
        let state = &self.jobs.get(job_id).expect("it was looked up by the caller").state;
        match self.newest_attempt(job_id, &OccurrenceKey::scheduled(at)) {
            Some(newest) if !matches!(newest.status, Status::Missed | Status::Skipped) => {
                Err(BackfillRefusal::HasRun { execution_id: newest.id, status: newest.status })
            }
            _ if state.prune_horizon.is_some_and(|horizon| at < horizon) => Err(BackfillRefusal::Pruned),
            Some(_) if at > now => Err(BackfillRefusal::Undecided),
            Some(newest) => Ok(newest.attempt + 1),
            None if at > state.watermark || at > now => Err(BackfillRefusal::Undecided),
            None => Ok(1),
        }
    }

    pub(super) fn retry(&mut self, request: &RetryRequest, now: DateTime<Utc>) -> RetryOutcome {
        let Some(row) = self.execution(request.execution_id).cloned() else { return RetryOutcome::Unknown };
        let next = self.next_of(&row);
        // Nobody else may run what was one instance's alone (R26).
        let is_left = row.for_instance.is_some_and(|only| !self.instances.contains_key(&only));
        if next.is_some() || !row.status.is_retryable() || is_left {
            return RetryOutcome::NotRetryable { status: row.status, next };
        }
        let next = NextAttempt { after: Duration::ZERO, holds_key: false };
        let id = self.follow(&row, false, next, now);
        self.change(id, |row| row.max_attempts = row.attempt);
        let inserted = self.execution(id).expect("it was inserted").clone();
        self.audit.append(request.audit(row.status, &inserted), now);
        RetryOutcome::Retried(Box::new(inserted))
    }
}
