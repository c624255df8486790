//! The parts of a scheduler, and what is wrong with them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use scheduler_cron::{Calendar, Trigger};

use super::{Scheduler, calendars::Calendars, dependencies};
use crate::{
    build_error::{BuildError, Mistake},
    clock::{Clock, SystemClock},
    context::StateMap,
    engine::{Capture, ContinueTrace},
    job::{Job, OverlapPolicy},
    lock::LockBackend,
    registry::registered_jobs,
    store::Store,
    trace_context::TraceContext,
};

/// The shortest period of a job with `overlap = cancel_running` (R17): below it, each run would cancel the one before.
const SHORTEST_CANCELLING_PERIOD: Duration = Duration::from_secs(10);

/// A scheduler in the making.
#[derive(Debug)]
#[must_use = "a scheduler begins to exist with `build`"]
pub struct SchedulerBuilder {
    store: Arc<dyn Store>,
    locks: Option<Arc<dyn LockBackend>>,
    listed: Option<Vec<Job>>,
    added: Vec<Job>,
    calendars: Calendars,
    state: StateMap,
    clock: Arc<dyn Clock>,
    version: String,
    capture: Capture,
    continue_trace: Option<ContinueTrace>,
}

impl SchedulerBuilder {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            locks: None,
            listed: None,
            added: Vec::new(),
            calendars: Calendars::default(),
            state: StateMap::default(),
            clock: Arc::new(SystemClock),
            version: String::new(),
            capture: Capture::default(),
            continue_trace: None,
        }
    }

    /// Asks this backend who tries, before the store decides who runs. With a store that is not shared it decides alone.
    pub fn lock_backend(mut self, backend: impl LockBackend) -> Self {
        self.locks = Some(Arc::new(backend));
        self
    }

    /// Gives bodies a value of the service's own, for `State<T>`; one value of each type.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.state.insert(value);
        self
    }

    /// Adds a job, made at run time or by hand.
    pub fn job(mut self, job: Job) -> Self {
        self.added.push(job);
        self
    }

    /// Lists the jobs, in place of those linked into the program: `.jobs(jobs![first, second])`.
    pub fn jobs(mut self, jobs: impl IntoIterator<Item = Job>) -> Self {
        self.listed.get_or_insert_default().extend(jobs);
        self
    }

    /// Gives jobs a calendar, which they take out by its name: `except = "id-holidays"`.
    ///
    /// Its days are part of a job's revision: with other days it is another one, as with another expression.
    ///
    /// ```
    /// use scheduler_core::{Scheduler, job::Job, store::memory::MemoryStore};
    /// use scheduler_cron::{Calendar, Trigger};
    ///
    /// let holidays = Calendar::parse("id-holidays", "*-08-17 Proklamasi Kemerdekaan\n2027-03-10 Idul Fitri")?;
    /// let job = Job::builder("payroll").cron("0 9 * * 1-5").tz("Asia/Jakarta").except("id-holidays").run(|| async {});
    /// let scheduler = Scheduler::builder(MemoryStore::new()).jobs([job]).calendar(holidays).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn calendar(mut self, calendar: Calendar) -> Self {
        self.calendars.add(calendar);
        self
    }

    /// Takes time from this clock; the machine's unless given.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The service's version, for display among the instances.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Keeps what executions log up to this level, `info` unless told, or nothing; see [`crate::logs`], which says what hears it.
    #[cfg(feature = "logs")]
    pub fn capture_logs(mut self, level: impl Into<Option<crate::logs::LogLevel>>) -> Self {
        self.capture = Capture::new(level.into(), true);
        self
    }

    /// Tells the span of an execution, before anybody enters it, of the trace that its request belongs to, if it was given
    /// one: with `tracing-opentelemetry`, the place for its `set_parent`.
    ///
    /// ```
    /// # use scheduler_core::{Scheduler, job::Job, store::memory::MemoryStore};
    /// # trait OpenTelemetrySpanExt { fn set_parent(&self, _: ()) {} }
    /// # impl OpenTelemetrySpanExt for tracing::Span {}
    /// # struct TraceContextPropagator;
    /// # impl TraceContextPropagator {
    /// #     fn new() -> Self { Self }
    /// #     fn extract(&self, _: &HashMap<String, String>) {}
    /// # }
    /// use std::collections::HashMap;
    ///
    /// # let job = Job::builder("report").manual().run(|| async {});
    /// let scheduler = Scheduler::builder(MemoryStore::new()).jobs([job]).continue_traces(|span, trace| {
    ///     let headers: HashMap<_, _> = trace.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    ///     let _ = span.set_parent(TraceContextPropagator::new().extract(&headers));
    /// });
    /// # scheduler.build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn continue_traces(mut self, tell: impl Fn(&tracing::Span, &TraceContext) + Send + Sync + 'static) -> Self {
        self.continue_trace = Some(ContinueTrace::new(tell));
        self
    }

    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// Every mistake at once: wrong settings, ids that two jobs have, calendars and state that a job wants and nobody gave, jobs that
    /// run after one that is not there, after themselves, or after chains that begin with different jobs.
    pub fn build(self) -> Result<Scheduler, BuildError> {
        let mut jobs = self.listed.unwrap_or_else(registered_jobs);
        jobs.extend(self.added);
        let mut mistakes = self.calendars.take_out(&mut jobs, self.clock.now());
        mistakes.extend(self::mistakes(&jobs, &self.state, self.clock.now()));
        if !mistakes.is_empty() {
            return Err(BuildError::new(mistakes));
        }
        Ok(Scheduler {
            store: self.store,
            locks: self.locks,
            jobs,
            state: self.state,
            clock: self.clock,
            version: self.version,
            capture: self.capture,
            continue_trace: self.continue_trace,
        })
    }
}

fn mistakes(jobs: &[Job], state: &StateMap, now: DateTime<Utc>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut count_by_id = BTreeMap::new();
    for job in jobs {
        mistakes.extend_from_slice(job.mistakes());
        // An id that could not be read is a mistake of its own, and stands for nothing.
        if job.mistakes().is_empty() {
            *count_by_id.entry(job.settings().id.as_str()).or_insert(0_usize) += 1;
        }
        mistakes.extend(missing_state(job, state));
        mistakes.extend(unfit_for_period(job, now));
        mistakes.extend(needs_params(job));
    }
    mistakes.extend(dependencies::mistakes(jobs));
    let doubles = count_by_id.into_iter().filter(|(_, count)| *count > 1);
    mistakes.extend(doubles.map(|(id, count)| Mistake::DuplicateId { id: id.to_owned(), count }));
    mistakes
}

fn missing_state(job: &Job, state: &StateMap) -> Vec<Mistake> {
    let missing = job.required_state().iter().filter(|required| !state.contains(required.type_id));
    missing
        .map(|required| Mistake::MissingState { id: job.settings().id.to_string(), state: required.type_name })
        .collect()
}

/// Parameters that only a request has, where a schedule or another job brings runs without any.
fn needs_params(job: &Job) -> Option<Mistake> {
    let settings = job.settings();
    if !settings.enabled || settings.trigger == Trigger::Manual || !job.mistakes().is_empty() {
        return None;
    }
    let refusal = job.check_params(None).err()?;
    let problem = format!(
        "runs without parameters whenever it is due, and {refusal}; take `Option<Params<…>>`, or give the type defaults by `#[serde(default)]`"
    );
    Some(Mistake::Setting { id: settings.id.to_string(), problem })
}

/// What does not fit the trigger's shortest period.
fn unfit_for_period(job: &Job, now: DateTime<Utc>) -> Vec<Mistake> {
    /// How many of the next occurrences are looked at: an expression may name uneven periods.
    const LOOKED_AT: usize = 100;
    let settings = job.settings();
    let cancels = settings.overlap == OverlapPolicy::CancelRunning;
    let jitter = settings.jitter;
    if !cancels && jitter.is_zero() {
        return Vec::new();
    }
    let period = |at| settings.trigger.next_after(at).and_then(|next| (next - at).to_std().ok());
    let Some(period) = settings.trigger.upcoming(now).take(LOOKED_AT).filter_map(period).min() else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    if jitter > period {
        problems.push(format!(
            "`jitter` is {jitter:?}, and must be at most the period, which is {period:?}: occurrences would change places"
        ));
    } else if cancels && period - jitter < SHORTEST_CANCELLING_PERIOD {
        let without = if jitter.is_zero() { String::new() } else { format!(", of which `jitter` takes {jitter:?}") };
        problems.push(format!(
            "`overlap = cancel_running` needs a period of at least {SHORTEST_CANCELLING_PERIOD:?}, and this one is {period:?}{without}"
        ));
    }
    problems.into_iter().map(|problem| Mistake::Setting { id: settings.id.to_string(), problem }).collect()
}

#[cfg(test)]
mod tests;
