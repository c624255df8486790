//! Asking the lock backend who tries (R15), and living without it (R10).

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::{debug, warn};

use super::{
    Backoff, Engine, JobIndex,
    agenda::Due,
    breaker::Breaker,
    ours::{Elsewhere, Ours, Span},
    running::HeldLock,
};
use crate::{
    clock::Clock,
    event::Backend,
    identity::ExecutionId,
    job::OverlapPolicy,
    lock::{AcquireRequest, Acquired, LockBackend, LockError, LockLease, LockMode, LockOccurrence},
    metrics,
    status::Status,
    store::EARLY_TOLERANCE,
};

/// How long the filter may take in front of a shared store (R10), beside [`KEY_LIMIT`].
const FILTER_LIMIT: Duration = Duration::from_millis(50);

/// How long it may take where the store takes as long for a claim: what is not waited for here waits there, with all that
/// the filter would have kept away.
const LONGEST_FILTER_LIMIT: Duration = Duration::from_millis(500);

/// How long the lock backend may take where it is the claim, beside [`KEY_LIMIT`].
const LEASE_LIMIT: Duration = Duration::from_secs(2);

/// How much longer it may take for each key that is asked for: ten times what a key costs a backend that answers as it
/// should, so that a large batch opens no breaker, and sends nobody who would lose to the store.
const KEY_LIMIT: Duration = Duration::from_micros(50);

/// How many occurrences of a job are asked for in one trip, where the lock backend is the claim.
const ASKED_AT_ONCE: usize = 100;

/// How many trips one look at a job makes at most; the next look goes on.
const MOST_ASKED: usize = 10;

/// The lock backend, and what it is asked for.
#[derive(Debug)]
pub(crate) struct Locks {
    backend: Arc<dyn LockBackend>,
    /// Whether it stands in front of a shared store, as a filter.
    pub(crate) is_filter: bool,
    breaker: Breaker,
    ours: Ours,
}

/// An occurrence that goes on to the store.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) due: Due,
    pub(crate) lock: Option<HeldLock>,
}

/// What the backend said of a batch.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    pub(crate) admitted: Vec<Admitted>,
    /// What is not due by the backend's clock, and how long it is not: asked again then.
    pub(crate) early: Vec<Due>,
    pub(crate) wait: Duration,
}

impl Admission {
    fn of(batch: impl IntoIterator<Item = Due>) -> Self {
        Self { admitted: batch.into_iter().map(|due| Admitted { due, lock: None }).collect(), ..Self::default() }
    }
}

impl Locks {
    pub(crate) fn new(backend: Arc<dyn LockBackend>, is_filter: bool) -> Self {
        Self { backend, is_filter, breaker: Breaker::default(), ours: Ours::default() }
    }

    async fn filter(&self, engine: &Engine, batch: &[Due]) -> Admission {
        if !self.breaker.allows(engine.clock.uptime()) {
            return Admission::of(batch.iter().copied());
        }
        // As early as the store grants what is let through.
        let asked = batch.iter().map(|due| Due { not_before: due.not_before - EARLY_TOLERANCE, ..*due });
        let requests: Vec<_> = asked.map(|due| engine.acquire_request(&due, LockMode::Filter)).collect();
        let limit = engine.claims.last_trip().clamp(FILTER_LIMIT, LONGEST_FILTER_LIMIT);
        match self.acquire(engine, limit, &requests).await {
            Ok(answers) => {
                self.breaker.succeeded();
                engine.health.locks_answered();
                let tries = |answer: &Acquired| !matches!(answer, Acquired::AlreadyClaimed);
                Admission::of(batch.iter().zip(answers).filter(|(_, answer)| tries(answer)).map(|(due, _)| *due))
            }
            Err(error) => {
                self.breaker.failed(engine.clock.uptime());
                engine.health.locks_failed(&error, true);
                Admission::of(batch.iter().copied())
            }
        }
    }

    /// Takes the keys, again and again until the start deadline; a held key of another instance decides nothing here.
    async fn lease(&self, engine: &Engine, batch: &[Due]) -> Admission {
        let mut backoff = Backoff::new();
        let mut open: Vec<Due> = batch.to_vec();
        while !open.is_empty() && !engine.is_draining() {
            let requests: Vec<_> =
                open.iter().map(|due| engine.acquire_request(due, engine.lease_mode(due.job))).collect();
            let asked_at = engine.clock.uptime();
            match self.acquire_settled(engine, &open, &requests).await {
                Ok(answers) => {
                    engine.health.locks_answered();
                    return self.admit_leased(engine, open, answers, asked_at).await;
                }
                Err(error) => {
                    engine.health.locks_failed(&error, false);
                    for due in &open {
                        self.ours.doubt(due.job, Span::of(due.scheduled_at));
                    }
                }
            }
            engine.rest(backoff.next_delay()).await;
            let now = engine.now();
            open.retain(|due| now < engine.deadline(due));
        }
        Admission::default()
    }

    /// Acquires once it is known what earlier requests for these jobs came to: the cursor can't be asked below itself.
    async fn acquire_settled(
        &self,
        engine: &Engine,
        open: &[Due],
        requests: &[AcquireRequest],
    ) -> Result<Vec<Acquired>, LockError> {
        for due in open {
            self.settle_doubts(engine, due.job, Some(due.scheduled_at)).await?;
        }
        self.acquire(engine, LEASE_LIMIT, requests).await
    }

    /// Asks again for what was asked for and not answered, but for the occurrence that is asked for next.
    async fn settle_doubts(&self, engine: &Engine, job: JobIndex, but: Option<DateTime<Utc>>) -> Result<(), LockError> {
        for span in self.ours.doubted(job).into_iter().filter(|span| Some(span.to) != but) {
            if self.move_cursor(engine, job, span.to).await? {
                self.ours.grant(job, span);
            } else {
                self.ours.refuse(job, span);
            }
        }
        Ok(())
    }

    async fn admit_leased(
        &self,
        engine: &Engine,
        open: Vec<Due>,
        answers: Vec<Acquired>,
        asked_at: Duration,
    ) -> Admission {
        let mut admission = Admission::default();
        for (due, answer) in open.into_iter().zip(answers) {
            let span = Span::of(due.scheduled_at);
            match answer {
                Acquired::Granted(lease) => {
                    self.ours.grant(due.job, span);
                    let lock = lease.map(|lease| HeldLock { lease, asked_at });
                    admission.admitted.push(Admitted { due, lock });
                    continue;
                }
                Acquired::NotDue { remaining } => {
                    admission.wait = admission.wait.max(remaining);
                    admission.early.push(due);
                }
                // The holder's own instance records what its run displaces (R17), and moves the cursor before it does: the
                // key may be free by then, and another instance may have the occurrence.
                Acquired::Held if engine.running.holds(due.job) => {
                    match self.move_cursor(engine, due.job, due.scheduled_at).await {
                        Ok(true) => {
                            self.ours.grant(due.job, span);
                            admission.admitted.push(Admitted { due, lock: None });
                            continue;
                        }
                        Ok(false) => {}
                        Err(error) => {
                            engine.health.locks_failed(&error, false);
                            self.ours.doubt(due.job, span);
                            continue;
                        }
                    }
                }
                Acquired::Held => {}
                // It may be this instance's own, by an answer that was lost and a lease that has ended since: asked by
                // `decide`, which needs no lease.
                Acquired::AlreadyClaimed => continue,
            }
            self.ours.refuse(due.job, span);
        }
        admission
    }

    async fn acquire(
        &self,
        engine: &Engine,
        limit: Duration,
        requests: &[AcquireRequest],
    ) -> Result<Vec<Acquired>, LockError> {
        let limit = limit + KEY_LIMIT.saturating_mul(u32::try_from(requests.len()).unwrap_or(u32::MAX));
        limited(&*engine.clock, limit, "acquire keys", self.backend.acquire(requests)).await
    }

    /// Asks for one occurrence alone: whether the cursor was moved by it, now or by an earlier request of this instance.
    async fn move_cursor(&self, engine: &Engine, job: JobIndex, to: DateTime<Utc>) -> Result<bool, LockError> {
        let request = engine.acquire_request(&engine.due(job, to), LockMode::Filter);
        let answer = self.acquire(engine, LEASE_LIMIT, &[request]).await?.pop();
        Ok(matches!(answer, Some(Acquired::Granted(_))))
    }

    /// Extends a lease; `Ok(false)` when it is lost.
    pub(crate) async fn renew(
        &self,
        engine: &Engine,
        lease: &LockLease,
        ttl: Duration,
        limit: Duration,
    ) -> Result<bool, LockError> {
        limited(&*engine.clock, limit, "renew a key", self.backend.renew(lease, ttl)).await
    }
}

/// Gives a call to the lock backend its time limit.
async fn limited<T>(
    clock: &dyn Clock,
    limit: Duration,
    operation: &'static str,
    call: impl Future<Output = Result<T, LockError>>,
) -> Result<T, LockError> {
    let call = async {
        tokio::select! {
            biased;
            answer = call => answer,
            () = clock.sleep(limit) => {
                Err(LockError::Unavailable { operation, source: format!("no answer within {limit:?}").into() })
            }
        }
    };
    metrics::timed(clock, Backend::Locks, operation, call).await
}

impl Engine {
    /// The lock backend, where it is the claim.
    pub(crate) fn claiming_locks(&self) -> Option<&Locks> {
        self.locks.as_ref().filter(|locks| !locks.is_filter)
    }

    /// Which of these occurrences this instance brings to the store.
    pub(crate) async fn admit(&self, batch: &[Due]) -> Admission {
        let Some(locks) = &self.locks else { return Admission::of(batch.iter().copied()) };
        let is_own = |due: &Due| self.jobs.get(due.job).settings().every_instance;
        let (own, asked): (Vec<Due>, Vec<Due>) = batch.iter().copied().partition(is_own);
        let mut admission = match asked.as_slice() {
            [] => Admission::default(),
            asked if locks.is_filter => locks.filter(self, asked).await,
            asked => locks.lease(self, asked).await,
        };
        admission.admitted.extend(Admission::of(own).admitted);
        admission
    }

    /// The lock backend, where it is the claim of this job's runs: it is none of those that each instance has for itself
    /// (R26).
    fn locks_of(&self, job: JobIndex) -> Option<&Locks> {
        self.claiming_locks().filter(|_| !self.jobs.get(job).settings().every_instance)
    }

    fn acquire_request(&self, due: &Due, mode: LockMode) -> AcquireRequest {
        AcquireRequest {
            job_id: self.jobs.get(due.job).settings().id.clone(),
            owner: self.instance,
            occurrence: Some(LockOccurrence { scheduled_at: due.scheduled_at, not_before: due.not_before }),
            mode,
        }
    }

    fn lease_mode(&self, job: JobIndex) -> LockMode {
        let settings = self.jobs.get(job).settings();
        LockMode::Lease { ttl: settings.lease_ttl, exclusive: settings.overlap != OverlapPolicy::Allow }
    }

    /// Which of the job's occurrences up to `until` another instance has decided, where the lock backend is the claim
    /// (R15).
    ///
    /// What lies above its cursor is this instance's from now on: the cursor is moved over it before anything is written,
    /// one occurrence after another, as another instance may move it as well. The answer ends where the backend was not
    /// asked further, or at what has come by its clock where this machine's is ahead. Whether jitter holds an
    /// occurrence back is the caller's to say.
    pub(crate) async fn decided_elsewhere(
        &self,
        job: JobIndex,
        mut until: DateTime<Utc>,
        due: impl Fn(DateTime<Utc>) -> Due,
    ) -> Result<Elsewhere, LockError> {
        let Some(locks) = self.locks_of(job) else { return Ok(Elsewhere::default()) };
        let entry = self.jobs.get(job);
        locks.settle_doubts(self, job, None).await?;
        let call = locks.backend.cursor(&entry.settings().id);
        let mut cursor = limited(&*self.clock, LEASE_LIMIT, "read a cursor", call).await?;
        let mut after = cursor.map_or(entry.watermark(), |cursor| cursor.max(entry.watermark()));
        for _ in 0..MOST_ASKED {
            let owed = entry.settings().trigger.occurrences_between(after, until);
            let owed: Vec<DateTime<Utc>> = owed.take(ASKED_AT_ONCE).collect();
            let Some(last) = owed.last().copied() else { break };
            let requests: Vec<_> = owed.iter().map(|at| self.acquire_request(&due(*at), LockMode::Filter)).collect();
            let answers = locks.acquire(self, LEASE_LIMIT, &requests).await;
            let answers = answers.inspect_err(|_| locks.ours.doubt(job, Span { after, to: last }))?;
            for (at, answer) in owed.into_iter().zip(answers) {
                match answer {
                    Acquired::Granted(_) => locks.ours.grant(job, Span { after, to: at }),
                    Acquired::NotDue { .. } => {
                        until = at - TimeDelta::milliseconds(1);
                        break;
                    }
                    Acquired::AlreadyClaimed | Acquired::Held => cursor = Some(at),
                }
                after = at;
            }
        }
        let asked_until =
            if entry.settings().trigger.next_after(after).is_some_and(|next| next <= until) { after } else { until };
        Ok(Elsewhere { cursor, ours: locks.ours.above(job, entry.watermark()), until: Some(asked_until) })
    }

    /// The key for a run that is not the schedule's; `Ok(None)` when another instance holds it.
    ///
    /// A key that was kept for it is used only if it is still this instance's.
    pub(crate) async fn acquire_for_take(
        &self,
        job: JobIndex,
        execution: ExecutionId,
    ) -> Result<Option<Option<HeldLock>>, LockError> {
        let Some(locks) = self.locks_of(job) else { return Ok(Some(None)) };
        let asked_at = self.clock.uptime();
        if let Some(kept) = self.running.take_kept(execution) {
            match locks.renew(self, &kept.lock, kept.lease, LEASE_LIMIT).await {
                Ok(true) => return Ok(Some(Some(HeldLock { lease: kept.lock, asked_at }))),
                Ok(false) => {}
                Err(error) => {
                    self.running.keep(kept);
                    return Err(error);
                }
            }
        }
        self.acquire_key(locks, job).await
    }

    /// The key for a claim that was admitted while an earlier run of this instance held it, and was granted, as that run
    /// had ended meanwhile. `None` where it is another's by now: the claim does not run.
    pub(crate) async fn acquire_late(&self, job: JobIndex) -> Option<Option<HeldLock>> {
        let Some(locks) = self.locks_of(job) else { return Some(None) };
        match self.acquire_key(locks, job).await {
            Ok(key) => key,
            Err(error) => {
                self.health.locks_failed(&error, false);
                None
            }
        }
    }

    async fn acquire_key(&self, locks: &Locks, job: JobIndex) -> Result<Option<Option<HeldLock>>, LockError> {
        let asked_at = self.clock.uptime();
        let request = AcquireRequest {
            job_id: self.jobs.get(job).settings().id.clone(),
            owner: self.instance,
            occurrence: None,
            mode: self.lease_mode(job),
        };
        Ok(match locks.acquire(self, LEASE_LIMIT, &[request]).await?.pop() {
            Some(Acquired::Granted(lease)) => Some(lease.map(|lease| HeldLock { lease, asked_at })),
            _ => None,
        })
    }

    /// Gives up keys that were kept for rows that wait no longer, as when an operator has cancelled a retry.
    pub(crate) async fn review_kept(&self) {
        for kept in self.running.kept() {
            let read = self.store.execution(kept.execution_id);
            match super::limited(&*self.clock, LEASE_LIMIT, "read an execution", read).await {
                Ok(Some(row)) if row.status == Status::Pending => {}
                Ok(_) => self.release(self.running.take_kept(kept.execution_id).map(|kept| kept.lock)).await,
                Err(error) => self.health.store_failed(&error),
            }
        }
    }

    /// Moves the cursor past an occurrence that is decided without a run, and gives its lease up, if it had one.
    pub(crate) async fn pass(&self, job: JobIndex, scheduled_at: DateTime<Utc>, lock: Option<LockLease>) {
        self.release(lock).await;
        let Some(locks) = self.locks_of(job) else { return };
        if let Err(error) = locks.move_cursor(self, job, scheduled_at).await {
            warn_of_release(&error);
        }
    }

    /// Gives a lease of the lock backend up; where that fails it expires by itself.
    pub(crate) async fn release(&self, lock: Option<LockLease>) {
        let (Some(locks), Some(lease)) = (&self.locks, lock) else { return };
        match limited(&*self.clock, LEASE_LIMIT, "release a key", locks.backend.release(&lease)).await {
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
