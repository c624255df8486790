//! Asking the lock backend who tries (R15), and living without it (R10).

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::{debug, warn};

use super::{Engine, JobIndex, agenda::Due, breaker::Breaker};
use crate::{
    identity::ExecutionId,
    job::OverlapPolicy,
    lock::{AcquireRequest, Acquired, LockBackend, LockError, LockLease, LockMode, LockOccurrence},
};

/// How long the filter may take in front of a shared store (R10).
const FILTER_LIMIT: Duration = Duration::from_millis(50);

/// How long the lock backend may take where it is the claim.
const LEASE_LIMIT: Duration = Duration::from_secs(2);

/// The lock backend, and what it is asked for.
#[derive(Debug)]
pub(crate) struct Locks {
    pub(crate) backend: Arc<dyn LockBackend>,
    /// Whether it stands in front of a shared store, as a filter.
    pub(crate) is_filter: bool,
    breaker: Breaker,
}

/// An occurrence that goes on to the store.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) due: Due,
    pub(crate) lock: Option<LockLease>,
}

/// What the backend said of a batch.
#[derive(Debug)]
pub(crate) enum Admission {
    Some(Vec<Admitted>),
    /// It does not answer, and nobody else can decide.
    Away,
}

impl Locks {
    pub(crate) fn new(backend: Arc<dyn LockBackend>, is_filter: bool) -> Self {
        Self { backend, is_filter, breaker: Breaker::default() }
    }

    /// Which of these occurrences this instance brings to the store.
    pub(crate) async fn admit(&self, engine: &Engine, batch: &[Due]) -> Admission {
        if self.is_filter { self.filter(engine, batch).await } else { self.lease(engine, batch).await }
    }

    async fn filter(&self, engine: &Engine, batch: &[Due]) -> Admission {
        let all = || batch.iter().map(|due| Admitted { due: *due, lock: None }).collect();
        if !self.breaker.allows(engine.clock.uptime()) {
            return Admission::Some(all());
        }
        let requests: Vec<_> = batch.iter().map(|due| engine.acquire_request(due, LockMode::Filter)).collect();
        match self.acquire(engine, FILTER_LIMIT, &requests).await {
            Ok(answers) => {
                self.breaker.succeeded();
                engine.health.locks_answered();
                let tries = |answer: &Acquired| !matches!(answer, Acquired::AlreadyClaimed);
                let admitted = batch.iter().zip(answers).filter(|(_, answer)| tries(answer));
                Admission::Some(admitted.map(|(due, _)| Admitted { due: *due, lock: None }).collect())
            }
            Err(error) => {
                self.breaker.failed(engine.clock.uptime());
                engine.health.locks_failed(&error, true);
                Admission::Some(all())
            }
        }
    }

    /// Takes the keys, again and again until the start deadline; a held key of another instance decides nothing here.
    async fn lease(&self, engine: &Engine, batch: &[Due]) -> Admission {
        let mut backoff = super::Backoff::new();
        let mut admitted = Vec::new();
        let mut open: Vec<Due> = batch.to_vec();
        while !open.is_empty() && !engine.is_draining() {
            let requests: Vec<_> =
                open.iter().map(|due| engine.acquire_request(due, engine.lease_mode(due.job))).collect();
            let mut wait = Duration::ZERO;
            match self.acquire(engine, LEASE_LIMIT, &requests).await {
                Ok(answers) => {
                    engine.health.locks_answered();
                    let mut again = Vec::new();
                    for (due, answer) in open.into_iter().zip(answers) {
                        match answer {
                            Acquired::Granted(lock) => admitted.push(Admitted { due, lock }),
                            Acquired::NotDue { remaining } => {
                                wait = wait.max(remaining);
                                again.push(due);
                            }
                            // The holder's own instance records what its run displaces (R17).
                            Acquired::Held if engine.running.holds(due.job) => {
                                admitted.push(Admitted { due, lock: None });
                            }
                            Acquired::Held | Acquired::AlreadyClaimed => {}
                        }
                    }
                    open = again;
                }
                Err(error) => {
                    engine.health.locks_failed(&error, false);
                    wait = backoff.next_delay();
                }
            }
            let now = engine.now();
            open.retain(|due| now < engine.jobs.get(due.job).settings().deadline(due.scheduled_at));
            if !admitted.is_empty() {
                break;
            }
            if !open.is_empty() {
                engine.clock.sleep(wait).await;
            }
        }
        if admitted.is_empty() { Admission::Away } else { Admission::Some(admitted) }
    }

    async fn acquire(
        &self,
        engine: &Engine,
        limit: Duration,
        requests: &[AcquireRequest],
    ) -> Result<Vec<Acquired>, LockError> {
        tokio::select! {
            biased;
            answer = self.backend.acquire(requests) => answer,
            () = engine.clock.sleep(limit) => Err(LockError::Unavailable {
                operation: "acquire keys",
                source: format!("no answer within {limit:?}").into(),
            }),
        }
    }
}

impl Engine {
    fn acquire_request(&self, due: &Due, mode: LockMode) -> AcquireRequest {
        AcquireRequest {
            job_id: self.jobs.get(due.job).settings().id.clone(),
            owner: self.instance,
            occurrence: Some(LockOccurrence { scheduled_at: due.scheduled_at, not_before: due.scheduled_at }),
            mode,
        }
    }

    fn lease_mode(&self, job: JobIndex) -> LockMode {
        let settings = self.jobs.get(job).settings();
        LockMode::Lease { ttl: settings.lease_ttl, exclusive: settings.overlap != OverlapPolicy::Allow }
    }

    /// Up to where another instance has decided the job's occurrences, where the lock backend is the claim (R15).
    ///
    /// What lies above is this instance's from now on: the cursor is moved over it before anything is written.
    pub(crate) async fn decided_elsewhere(
        &self,
        job: JobIndex,
        until: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, LockError> {
        let Some(locks) = self.locks.as_ref().filter(|locks| !locks.is_filter) else { return Ok(None) };
        let settings = self.jobs.get(job).settings();
        let cursor = locks.backend.cursor(&settings.id).await?;
        let Some(last) = settings.trigger.prev_before(until + TimeDelta::milliseconds(1)) else { return Ok(cursor) };
        if cursor.is_some_and(|cursor| cursor >= last) {
            return Ok(cursor);
        }
        let request = self.acquire_request(&Due { job, scheduled_at: last }, LockMode::Filter);
        let granted = matches!(locks.acquire(self, LEASE_LIMIT, &[request]).await?.pop(), Some(Acquired::Granted(_)));
        Ok(if granted { cursor } else { Some(last) })
    }

    /// The key for a run that is not the schedule's; `Ok(None)` when another instance holds it.
    pub(crate) async fn acquire_for_take(
        &self,
        job: JobIndex,
        execution: ExecutionId,
    ) -> Result<Option<Option<LockLease>>, LockError> {
        let Some(locks) = self.locks.as_ref().filter(|locks| !locks.is_filter) else { return Ok(Some(None)) };
        if let Some(kept) = self.running.take_kept(execution) {
            return Ok(Some(Some(kept)));
        }
        let request = AcquireRequest {
            job_id: self.jobs.get(job).settings().id.clone(),
            owner: self.instance,
            occurrence: None,
            mode: self.lease_mode(job),
        };
        Ok(match locks.acquire(self, LEASE_LIMIT, &[request]).await?.pop() {
            Some(Acquired::Granted(lease)) => Some(lease),
            _ => None,
        })
    }

    /// Moves the cursor past an occurrence that is decided without a run, and gives its lease up, if it had one.
    pub(crate) async fn pass(&self, job: JobIndex, scheduled_at: DateTime<Utc>, lock: Option<LockLease>) {
        self.release(lock).await;
        let Some(locks) = self.locks.as_ref().filter(|locks| !locks.is_filter) else { return };
        let request = self.acquire_request(&Due { job, scheduled_at }, LockMode::Filter);
        if let Err(error) = locks.acquire(self, LEASE_LIMIT, &[request]).await {
            warn_of_release(&error);
        }
    }

    /// Gives a lease of the lock backend up; where that fails it expires by itself.
    pub(crate) async fn release(&self, lock: Option<LockLease>) {
        let (Some(locks), Some(lease)) = (&self.locks, lock) else { return };
        match locks.backend.release(&lease).await {
            Ok(true) => {}
            Ok(false) => debug!(job_id = %lease.job_id, "a lease was lost before its release"),
            Err(error) => warn_of_release(&error),
        }
    }
}

fn warn_of_release(error: &LockError) {
    warn!(
        error = super::health::chain(error),
        "the lock backend did not take a release: the key is free when its lease expires"
    );
}
