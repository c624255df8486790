//! What bodies did, noted outside every store.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::{FutureExt as _, future::BoxFuture};

use super::{time::MachineClock, trace::Trace};
use crate::{
    clock::Clock as _,
    context::JobContext,
    identity::{ExecutionId, FencingToken, InstanceId, JobId},
    job::{Job, OnLostLease, OverlapPolicy},
    occurrence::{OccurrenceKey, Origin},
    outcome::{JobResult, Verdict},
    testing::{Invariant, Violation},
};

/// Something that a body did.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Effect {
    /// When, since the simulation began.
    pub at: Duration,
    /// When, by the store's clock.
    pub store_at: DateTime<Utc>,
    /// What.
    pub kind: EffectKind,
    /// The job.
    pub job_id: JobId,
    /// The occurrence.
    pub occurrence: OccurrenceKey,
    /// What caused the execution.
    pub origin: Origin,
    /// The attempt at it.
    pub attempt: u32,
    /// The nominal instant.
    pub scheduled_at: DateTime<Utc>,
    /// The row.
    pub execution_id: ExecutionId,
    /// The grant.
    pub fence: FencingToken,
    /// The instance whose body it was.
    pub instance: InstanceId,
}

/// What a body did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EffectKind {
    /// Its first line ran.
    Started,
    /// It returned.
    Ended {
        /// Whether the job says that it succeeded.
        succeeded: bool,
    },
    /// It was dropped, or its process crashed, or it panicked.
    Dropped,
}

/// The notes of all bodies; clones share them.
#[derive(Clone)]
pub(crate) struct Effects(Arc<Shared>);

struct Shared {
    clock: MachineClock,
    trace: Trace,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    effects: Vec<Effect>,
    /// The highest grant that has begun, by key: a job's, or one that ends in an instance (R26).
    highest: HashMap<(JobId, Option<InstanceId>), FencingToken>,
    zombies: Vec<Violation>,
}

impl Effects {
    /// By the store's clock, of whose machine the uptime is virtual time.
    pub(crate) fn new(clock: MachineClock, trace: Trace) -> Self {
        Self(Arc::new(Shared { clock, trace, notes: Mutex::default() }))
    }

    /// The job, whose bodies are noted.
    pub(crate) fn watch(&self, job: &Job) -> Job {
        let effects = self.clone();
        job.wrapped(move |context, body| effects.clone().run(context, body))
    }

    fn run(self, context: JobContext, body: BoxFuture<'static, JobResult>) -> BoxFuture<'static, JobResult> {
        async move {
            let mut noted = Noted { effects: self, context, is_over: false };
            noted.note(EffectKind::Started);
            let mut body = body;
            let result = std::future::poll_fn(|cx| {
                noted.check_grant();
                body.poll_unpin(cx)
            })
            .await;
            let succeeded = result.as_ref().is_ok_and(|outcome| outcome.verdict() != Verdict::Failed);
            noted.note(EffectKind::Ended { succeeded });
            noted.is_over = true;
            result
        }
        .boxed()
    }

    /// All effects, and what was seen of bodies that went on too long.
    pub(crate) fn take(&self) -> (Vec<Effect>, Vec<Violation>) {
        let notes = std::mem::take(&mut *self.notes());
        (notes.effects, notes.zombies)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects").field("count", &self.notes().effects.len()).finish_non_exhaustive()
    }
}

/// A body under watch.
struct Noted {
    effects: Effects,
    context: JobContext,
    is_over: bool,
}

impl Noted {
    fn note(&self, kind: EffectKind) {
        let Self { effects, context, .. } = self;
        let effect = Effect {
            at: effects.0.clock.uptime(),
            store_at: effects.0.clock.now(),
            kind,
            job_id: context.job_id().clone(),
            occurrence: context.occurrence().clone(),
            origin: context.origin(),
            attempt: context.attempt(),
            scheduled_at: context.scheduled_at().to_utc(),
            execution_id: context.execution_id(),
            fence: context.fencing_token(),
            instance: context.instance(),
        };
        effects.0.trace.note(&effect);
        let mut notes = effects.notes();
        if kind == EffectKind::Started {
            let highest = notes.highest.entry(self.key()).or_insert(effect.fence);
            *highest = effect.fence.max(*highest);
        }
        notes.effects.push(effect);
    }

    /// The key that the body's grant is of.
    fn key(&self) -> (JobId, Option<InstanceId>) {
        let context = &self.context;
        (context.job_id().clone(), context.settings().every_instance.then(|| context.instance()))
    }

    /// A body that is polled may do anything: it must not be when another was granted what it had.
    fn check_grant(&self) {
        let Self { effects, context, .. } = self;
        let settings = context.settings();
        if settings.overlap == OverlapPolicy::Allow || settings.on_lost_lease == OnLostLease::Ignore {
            return;
        }
        let mut notes = effects.notes();
        let Some(highest) = notes.highest.get(&self.key()).copied() else { return };
        if highest > context.fencing_token() {
            let what = format!(
                "the body of {} attempt {} with fence {} went on after one with fence {highest} had started",
                context.occurrence(),
                context.attempt(),
                context.fencing_token()
            );
            let mut violation = Violation::new(Invariant::NoZombie, context.job_id(), None, what);
            violation.execution_id = Some(context.execution_id());
            if !notes.zombies.contains(&violation) {
                notes.zombies.push(violation);
            }
        }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if !self.is_over {
            self.note(EffectKind::Dropped);
        }
    }
}
