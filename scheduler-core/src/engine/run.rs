//! Starts a body on the service's runtime and turns its end into an outcome.

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tracing::{Instrument as _, debug, warn};

use super::{
    Engine, JobIndex, Reporter, Stop,
    panic::{Panic, catch},
    running::{HeldLock, RunControl, RunningExecution},
    span,
    supervise::{End, supervise},
    tasks::Task,
};
use crate::{
    context::{Inner, JobContext},
    event::Event,
    identity::{ClaimId, ExecutionId, FencingToken},
    job::{JobSettings, OnLostLease, OverlapPolicy},
    metrics,
    occurrence::{OccurrenceKey, Origin},
    outcome::{JobError, Outcome, Retry, Verdict, bounded_data, bounded_text},
    status::{Reason, Status},
    store::{Finish, LostClaim, NextAttempt},
    trace_context::TraceContext,
};

/// How long a body has for its clean-up once it was told to stop (R18).
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// The part of a lease that is never used: its body is told to stop that much before it can expire elsewhere (R3).
pub(crate) fn margin(lease: Duration) -> Duration {
    Duration::from_secs(3).min(lease / 5)
}

/// A granted execution.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) job: JobIndex,
    pub(crate) execution_id: ExecutionId,
    pub(crate) fence: FencingToken,
    pub(crate) claim_id: ClaimId,
    pub(crate) occurrence: OccurrenceKey,
    pub(crate) origin: Origin,
    pub(crate) attempt: u32,
    pub(crate) max_attempts: u32,
    pub(crate) scheduled_at: DateTime<Utc>,
    pub(crate) params: Option<Value>,
    pub(crate) upstream_results: Option<Value>,
    pub(crate) triggered_by: Option<String>,
    pub(crate) trace_context: Option<TraceContext>,
    /// The uptime of the request from which the lease counts (R5).
    pub(crate) asked_at: Duration,
    pub(crate) lock: Option<HeldLock>,
}

impl Assignment {
    /// The uptime of the request from which the lock backend's lease counts, if there is one that excludes others.
    fn lock_asked_at(&self) -> Option<Duration> {
        self.lock.as_ref().filter(|lock| lock.lease.exclusive).map(|lock| lock.asked_at)
    }

    /// The uptime at which what was granted may expire: the earlier of the two leases' ends.
    fn lease_end(&self, lease: Duration) -> Duration {
        self.asked_at.min(self.lock_asked_at().unwrap_or(Duration::MAX)) + lease
    }
}

impl Engine {
    /// Starts a granted execution. One whose lease is nearly used up is not started at all (R8).
    pub(crate) fn start(self: &Arc<Self>, assignment: Assignment) {
        let job = self.jobs.get(assignment.job).job.clone();
        let settings = Arc::clone(job.settings());
        if self.clock.uptime() + margin(settings.lease_ttl) >= assignment.lease_end(settings.lease_ttl) {
            warn!(job_id = %settings.id, occurrence = %assignment.occurrence, "the answer to a claim came too late to run under its lease: it is given up");
            self.give_up([(LostClaim::of_row(assignment.claim_id, assignment.execution_id), assignment.job)]);
            let engine = Arc::clone(self);
            self.tasks.spawn(async move { engine.release(assignment.lock.map(|lock| lock.lease)).await });
            return;
        }
        let ends = [Some(assignment.asked_at), assignment.lock_asked_at()]
            .map(|asked_at| asked_at.filter(|_| settings.on_lost_lease != OnLostLease::Ignore))
            .map(|asked_at| asked_at.map(|asked_at| asked_at + settings.lease_ttl));
        let control = Arc::new(RunControl::new(ends[0], ends[1]));
        let reporter = Reporter::new(assignment.execution_id, self);
        let open = || span::open(&settings.id, &assignment, self.instance, self.continue_trace.as_ref());
        let span = self.capture.open(&reporter, open);
        let lock = assignment.lock.map(|lock| lock.lease);
        let (execution_id, fence, attempt, max_attempts) =
            (assignment.execution_id, assignment.fence, assignment.attempt, assignment.max_attempts);
        self.running.insert(RunningExecution {
            job: assignment.job,
            execution_id,
            fence,
            lease: settings.lease_ttl,
            lock: lock.clone(),
            brings_others: self.jobs.get(assignment.job).has_dependants,
            is_waited_for: assignment.origin != Origin::Schedule
                || matches!(settings.overlap, OverlapPolicy::QueueOne | OverlapPolicy::CancelRunning),
            control: Arc::clone(&control),
            ended: false,
        });
        let token_taken = Arc::new(AtomicBool::new(false));
        let context = JobContext::new(Inner {
            settings: Arc::clone(&settings),
            execution_id,
            occurrence: assignment.occurrence,
            origin: assignment.origin,
            attempt,
            max_attempts,
            scheduled_at: assignment.scheduled_at,
            // Where the store is not shared, the lock backend's fence is the one that all instances agree on.
            fence: lock.as_ref().map_or(fence, |lock| lock.fence),
            instance: self.instance,
            triggered_by: assignment.triggered_by,
            params: assignment.params,
            upstream_results: assignment.upstream_results,
            trace_context: assignment.trace_context,
            cancellation: control.cancellation.clone(),
            token_taken: Arc::clone(&token_taken),
            namespace: self.namespace.clone(),
            state: Arc::clone(&self.state),
            reporter: Arc::clone(&reporter),
        });
        let due_at = match context.origin() {
            // A request comes when it comes, and jitter is the schedule's.
            Origin::Manual | Origin::Dependency => context.scheduled_at().to_utc(),
            _ => settings.not_before(context.scheduled_at().to_utc(), self.instance),
        };
        let scheduled_at = context.scheduled_at().to_utc();
        let lag = (self.now() - due_at).to_std().unwrap_or(Duration::ZERO);
        metrics::body_started(&settings.id, context.origin(), attempt, lag);
        self.events.tell(Event::Started {
            job_id: settings.id.clone(),
            execution_id,
            occurrence: context.occurrence().clone(),
            attempt,
            lag,
        });
        let timer = settings.timeout.map(|timeout| self.stop_after(timeout, execution_id));
        let engine = Arc::clone(self);
        let entered = span.clone();
        let body = async move {
            let started = engine.clock.uptime();
            let end = supervise(
                move || job.run(context),
                Arc::clone(&control),
                Arc::clone(&engine.clock),
                margin(settings.lease_ttl),
            )
            .await;
            if let Some(timer) = timer {
                timer.abort();
            }
            metrics::body_ended(&settings.id, engine.clock.uptime().saturating_sub(started));
            let took_token = token_taken.load(Ordering::Relaxed);
            let run = Run { execution_id, fence, attempt, max_attempts, scheduled_at, took_token };
            let ended = outcome(&settings, &run, end, control.stopped());
            let finish = bounded(ended);
            debug!(status = %finish.status, "an execution has ended");
            span::close(&span, &finish);
            engine.running.end(execution_id);
            // Its last words set out first, and are mostly there when somebody hears of the end.
            engine.reports.ended(&reporter);
            engine.outcomes.push(finish);
        };
        self.tasks.spawn_body(body.instrument(entered));
    }

    /// Tells a body to stop, and drops it at its next await if it has not ended after the grace time (R18).
    pub(crate) fn stop(self: &Arc<Self>, execution_id: ExecutionId, why: Stop) {
        let Some(execution) = self.running.get(execution_id).filter(|execution| !execution.ended) else { return };
        if !execution.control.stop(why) {
            return;
        }
        if why == Stop::LeaseLost {
            metrics::lease_lost(&self.jobs.get(execution.job).settings().id);
        }
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            engine.clock.sleep(GRACE).await;
            execution.control.abort.cancel();
        });
    }

    fn stop_after(self: &Arc<Self>, timeout: Duration, execution_id: ExecutionId) -> Task {
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            engine.clock.sleep(timeout).await;
            engine.stop(execution_id, Stop::Timeout);
        })
    }
}

/// Which run has ended.
#[derive(Debug)]
struct Run {
    execution_id: ExecutionId,
    fence: FencingToken,
    attempt: u32,
    max_attempts: u32,
    scheduled_at: DateTime<Utc>,
    /// Whether the body took the token that tells it to stop.
    took_token: bool,
}

/// The outcome of a run, and the attempt that follows it.
fn outcome(settings: &JobSettings, run: &Run, end: End, stop: Option<Stop>) -> Finish {
    let &Run { execution_id, fence, attempt, max_attempts, scheduled_at, took_token } = run;
    let mut finish = Finish {
        execution_id,
        fence,
        status: Status::Succeeded,
        reason: None,
        message: None,
        error_trace: None,
        result_data: None,
        next: None,
    };
    let mut retry = Retry::BySettings;
    let stop = match end {
        End::LeaseLost => Some(Stop::LeaseLost),
        // Dropped without having been told: its lease had run out, and was extended only after that.
        End::Aborted => stop.or(Some(Stop::LeaseLost)),
        End::Returned(_) | End::Panicked(_) => stop,
    };
    // What the body says of itself counts, whatever stopped it; only an operator's request makes its error a cancelled run (R9).
    let says =
        matches!(&end, End::Returned(Ok(outcome)) if !outcome.is_plain()) || matches!(&end, End::Returned(Err(_)));
    match end {
        End::Returned(Ok(outcome)) if outcome.is_plain() => {
            let (_, message, _) = outcome.into_parts();
            finish.message = message;
            // Whoever never took the token was not cut short by it.
            if stop.is_none() || !took_token {
                return finish;
            }
            finish.message.get_or_insert_with(|| "it returned after it was told to stop".to_owned());
        }
        End::Returned(Ok(outcome)) => {
            let (verdict, message, data) = outcome.into_parts();
            (finish.message, finish.result_data) = (message, data);
            match verdict {
                Verdict::Succeeded => {
                    finish.message = after_stop(finish.message, stop, settings);
                    return finish;
                }
                Verdict::Skipped => {
                    finish.reason = Some(Reason::NothingToDo);
                    finish.message = after_stop(finish.message, stop, settings);
                    return finish;
                }
                Verdict::Failed => finish.status = Status::Failed,
            }
        }
        End::Returned(Err(error)) => {
            retry = error.retry();
            fail(&mut finish, error);
        }
        End::Panicked(panic) => panicked(&mut finish, panic),
        End::Aborted => finish.message = Some("it did not end when it was told to, and was dropped".to_owned()),
        End::LeaseLost => finish.message = Some("its lease could not be renewed in time".to_owned()),
    }
    if says && stop.is_some_and(|stop| stop != Stop::ByRequest) {
        finish.message = after_stop(finish.message, stop, settings);
    }
    // What says nothing of itself ended as what it was told to stop for.
    match stop.filter(|stop| !says || *stop == Stop::ByRequest) {
        Some(Stop::Timeout) => {
            finish.status = Status::TimedOut;
            finish.reason = None;
            if let Some(timeout) = settings.timeout {
                finish.message.get_or_insert_with(|| format!("it ran longer than {timeout:?}"));
            }
        }
        Some(Stop::LeaseLost) => (finish.status, finish.reason) = (Status::Failed, Some(Reason::LeaseLost)),
        Some(Stop::ByRequest) => {
            (finish.status, finish.reason) = (Status::Cancelled, Some(Reason::ByRequest));
            return finish;
        }
        Some(Stop::Shutdown) => {
            (finish.status, finish.reason) = (Status::Cancelled, Some(Reason::Shutdown));
            if settings.reruns_on_crash() && attempt < max_attempts {
                finish.next = Some(next_attempt(settings, Duration::ZERO));
            }
            return finish;
        }
        None => {}
    }
    let delay = match retry {
        Retry::Never => None,
        Retry::After(delay) => Some(delay),
        Retry::BySettings => Some(settings.delay_after(attempt, scheduled_at)),
    };
    if attempt < max_attempts {
        finish.next = delay.map(|delay| next_attempt(settings, delay));
    }
    finish
}

/// What a body said, and that it said it after it was told to stop.
fn after_stop(message: Option<String>, stop: Option<Stop>, settings: &JobSettings) -> Option<String> {
    let Some(stop) = stop else { return message };
    let why = match (stop, settings.timeout) {
        (Stop::Timeout, Some(timeout)) => format!("it ran longer than {timeout:?}"),
        (Stop::Timeout, None) => "it ran too long".to_owned(),
        (Stop::ByRequest, _) => "somebody asked for it".to_owned(),
        (Stop::LeaseLost, _) => "its lease was lost".to_owned(),
        (Stop::Shutdown, _) => "its instance shut down".to_owned(),
    };
    Some(match message {
        Some(message) => format!("{message} (said after it was told to stop: {why})"),
        None => format!("it ended after it was told to stop: {why}"),
    })
}

/// What an error says. Its words and its end are the user's code as well.
fn fail(finish: &mut Finish, error: JobError) {
    finish.status = Status::Failed;
    match catch(move || (error.to_string(), error.trace())) {
        Ok((message, trace)) => (finish.message, finish.error_trace) = (Some(message), Some(trace)),
        Err(panic) => panicked(finish, panic),
    }
}

fn panicked(finish: &mut Finish, panic: Panic) {
    finish.status = Status::Failed;
    finish.reason = Some(Reason::Panic);
    finish.error_trace = Some(match panic.backtrace {
        Some(backtrace) => format!("{}\n{backtrace}", panic.message),
        None => panic.message.clone(),
    });
    finish.message = Some(panic.message);
}

/// The outcome with as much of the body's words as every store takes.
fn bounded(finish: Finish) -> Finish {
    Finish {
        message: finish.message.map(|text| bounded_text(text, Outcome::LONGEST_MESSAGE)),
        error_trace: finish.error_trace.map(|text| bounded_text(text, Outcome::LONGEST_TRACE)),
        result_data: finish.result_data.map(bounded_data),
        ..finish
    }
}

fn next_attempt(settings: &JobSettings, after: Duration) -> NextAttempt {
    NextAttempt { after: after.min(JobSettings::LONGEST_DELAY), holds_key: settings.overlap != OverlapPolicy::Allow }
}
