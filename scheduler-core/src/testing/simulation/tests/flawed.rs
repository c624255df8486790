//! Backends that break the design on purpose.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    clock::Clock as _,
    identity::{ClaimId, ExecutionId, FencingToken, JobId},
    lock::{AcquireRequest, Acquired, LockBackend, LockError, LockLease, memory::MemoryLocks},
    occurrence::OccurrenceKey,
    random,
    store::{
        Claim, ClaimOutcome, ClaimRecord, Decided, DecidedRow, Deciding, DueExecution, DueRequest, ExecutionStore,
        Finish, FinishOutcome, Grant, HeldLease, LostClaim, ManualOutcome, ManualRequest, RecoverRequest, Recovered,
        Refusal, RenewedLease, StoreError, Survey, SurveyRequest, TakeOutcome, TakeRequest, WatermarkMove,
        memory::MemoryStore,
    },
    testing::simulation::time::MachineClock,
};

/// What a store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// An occurrence may be claimed again.
    NoUniqueClaim,
    /// An outcome is written whoever has the row by then.
    FinishWithoutFence,
    /// Whether a lease has expired is judged by the clock of the machine that asks.
    ExpiryByLocalClock,
    /// The row is written once the body has ended.
    ClaimAfterRun,
    /// What the lock backend let somebody through for counts as decided, whether or not a row came of it.
    FilterDecides,
}

/// The lock backend of a simulation, once there is one.
pub(super) type Filter = Arc<Mutex<Option<MemoryLocks>>>;

/// What decides who runs, with a flaw, as one machine reaches it.
#[derive(Debug, Clone)]
pub(super) struct FlawedStore {
    pub(super) inner: MemoryStore,
    pub(super) flaw: Flaw,
    pub(super) clock: MachineClock,
    /// What was granted without a row.
    unwritten: Arc<Mutex<HashMap<ExecutionId, Claim>>>,
    last: Arc<AtomicI64>,
    filter: Filter,
}

impl FlawedStore {
    pub(super) fn new(inner: MemoryStore, flaw: Flaw, clock: MachineClock) -> Self {
        Self { inner, flaw, clock, unwritten: Arc::default(), last: Arc::default(), filter: Filter::default() }
    }

    pub(super) fn behind(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// Shows all up to the filter's cursor as decided.
    async fn take_the_filter_for_a_decision(&self, survey: &mut Survey) {
        let filter = self.filter.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(filter) = filter else { return };
        for seen in &mut survey.jobs {
            let cursor = filter.cursor(&seen.state.job_id).await.ok().flatten();
            if let Some(scheduled_at) = cursor.filter(|cursor| *cursor > seen.state.watermark) {
                seen.rows.push(DecidedRow { scheduled_at, missed_from: Some(seen.state.watermark) });
                seen.rows.sort_by_key(|row| row.scheduled_at);
            }
        }
    }

    /// Claims an occurrence under another key, where its own is taken.
    async fn claim_again(&self, claim: &Claim, outcome: ClaimOutcome) -> Result<ClaimOutcome, StoreError> {
        if outcome != ClaimOutcome::Refused(Refusal::AlreadyDecided) {
            return Ok(outcome);
        }
        let occurrence = OccurrenceKey::manual(&random::uuid().to_string());
        let again = Claim { occurrence, claim_id: ClaimId::random(), ..claim.clone() };
        Ok(self.inner.claim(&[again]).await?.pop().expect("an answer to each claim"))
    }

    fn grant_unwritten(&self, claim: &Claim) -> ClaimOutcome {
        let number = self.last.fetch_sub(1, Ordering::Relaxed) - 1;
        let execution_id = ExecutionId(number);
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).insert(execution_id, claim.clone());
        ClaimOutcome::Granted(Grant { execution_id, fence: FencingToken(-number), started_at: self.clock.now() })
    }

    fn take_unwritten(&self, id: ExecutionId) -> Option<Claim> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    /// Writes the outcome of a run, and its row with it.
    async fn claim_and_finish(&self, finish: &Finish, claim: Claim) -> Result<FinishOutcome, StoreError> {
        let outcome = self.inner.claim(&[claim]).await?.pop();
        if let Some(ClaimOutcome::Granted(Grant { execution_id, fence, .. })) = outcome {
            self.inner.finish(&[Finish { execution_id, fence, ..finish.clone() }]).await?;
        }
        Ok(FinishOutcome::Finished { status: finish.status, late: false, next: None })
    }

    fn overwrite(&self, finish: &Finish) -> FinishOutcome {
        let now = self.clock.now();
        self.inner.edit(finish.execution_id, |row| {
            (row.status, row.reason, row.finished_at) = (finish.status, finish.reason, Some(now.max(row.created_at)));
        });
        FinishOutcome::Finished { status: finish.status, late: false, next: None }
    }
}

#[async_trait]
impl ExecutionStore for FlawedStore {
    async fn claim(&self, claims: &[Claim]) -> Result<Vec<ClaimOutcome>, StoreError> {
        match self.flaw {
            Flaw::NoUniqueClaim => {
                let outcomes = self.inner.claim(claims).await?;
                let mut again = Vec::new();
                for (claim, outcome) in claims.iter().zip(outcomes) {
                    again.push(self.claim_again(claim, outcome).await?);
                }
                Ok(again)
            }
            Flaw::ClaimAfterRun => Ok(claims.iter().map(|claim| self.grant_unwritten(claim)).collect()),
            _ => self.inner.claim(claims).await,
        }
    }

    async fn find_claim(&self, lost: &LostClaim) -> Result<Option<ClaimRecord>, StoreError> {
        self.inner.find_claim(lost).await
    }

    async fn due(&self, request: &DueRequest) -> Result<Vec<DueExecution>, StoreError> {
        self.inner.due(request).await
    }

    async fn take(&self, requests: &[TakeRequest]) -> Result<Vec<TakeOutcome>, StoreError> {
        self.inner.take(requests).await
    }

    async fn renew(&self, held: &[HeldLease]) -> Result<Vec<RenewedLease>, StoreError> {
        let unwritten = held.iter().filter(|held| held.execution_id.0 < 0).map(|held| RenewedLease {
            execution_id: held.execution_id,
            fence: held.fence,
            cancel_requested: false,
        });
        let mut renewed = self.inner.renew(held).await?;
        renewed.extend(unwritten);
        Ok(renewed)
    }

    async fn finish(&self, finishes: &[Finish]) -> Result<Vec<FinishOutcome>, StoreError> {
        let mut outcomes = self.inner.finish(finishes).await?;
        for (finish, outcome) in finishes.iter().zip(&mut outcomes) {
            match self.flaw {
                Flaw::FinishWithoutFence if *outcome == FinishOutcome::Fenced => *outcome = self.overwrite(finish),
                Flaw::ClaimAfterRun => {
                    if let Some(claim) = self.take_unwritten(finish.execution_id) {
                        *outcome = self.claim_and_finish(finish, claim).await?;
                    }
                }
                _ => {}
            }
        }
        Ok(outcomes)
    }

    async fn survey(&self, request: &SurveyRequest) -> Result<Survey, StoreError> {
        let mut survey = self.inner.survey(request).await?;
        if self.flaw == Flaw::FilterDecides {
            self.take_the_filter_for_a_decision(&mut survey).await;
        }
        Ok(survey)
    }

    async fn advance(&self, moves: &[WatermarkMove]) -> Result<Vec<JobId>, StoreError> {
        self.inner.advance(moves).await
    }

    async fn decide(&self, passes: &[Deciding<'_>]) -> Result<Vec<Option<Decided>>, StoreError> {
        self.inner.decide(passes).await
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Vec<Recovered>, StoreError> {
        if self.flaw == Flaw::ExpiryByLocalClock {
            return self.inner.clone().with_clock(Arc::new(self.clock.clone())).recover(request).await;
        }
        self.inner.recover(request).await
    }

    async fn make_way(&self, jobs: &[JobId]) -> Result<Vec<ExecutionId>, StoreError> {
        self.inner.make_way(jobs).await
    }

    async fn request(&self, request: &ManualRequest) -> Result<ManualOutcome, StoreError> {
        self.inner.request(request).await
    }
}

/// A lock backend that ends a lease whoever asks for it, as `DEL` does.
#[derive(Debug, Clone)]
pub(super) struct ReleasingLocks(pub(super) MemoryLocks);

#[async_trait]
impl LockBackend for ReleasingLocks {
    fn attach(&self) -> Arc<dyn LockBackend> {
        Arc::new(self.clone())
    }

    async fn check(&self) -> Result<(), LockError> {
        self.0.check().await
    }

    async fn acquire(&self, requests: &[AcquireRequest]) -> Result<Vec<Acquired>, LockError> {
        self.0.acquire(requests).await
    }

    async fn cursor(&self, job_id: &JobId) -> Result<Option<DateTime<Utc>>, LockError> {
        self.0.cursor(job_id).await
    }

    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<bool, LockError> {
        self.0.renew(lease, ttl).await
    }

    async fn release(&self, lease: &LockLease) -> Result<bool, LockError> {
        self.0.end_lease(&lease.job_id);
        Ok(true)
    }
}
