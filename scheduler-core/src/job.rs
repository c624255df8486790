//! The definition of a job: its settings and its body.

mod annotated;
mod builder;
mod function;
mod jitter;
mod policy;
mod returns;
mod setting;
mod settings;
mod stored;

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use scheduler_cron::{Calendar, Trigger, TriggerError};
use serde_json::Value;

pub use builder::JobBuilder;
pub use function::JobFunction;
pub use policy::{Backoff, CatchUp, OnCrash, OnLostLease, OverlapPolicy};
pub(crate) use returns::Returns;
pub use setting::{Setting, Source};
pub use settings::JobSettings;

use crate::{
    build_error::Mistake,
    context::JobContext,
    extract::{FromContext, RequiredState},
    outcome::JobResult,
};

/// A job written by hand or by `#[scheduled_job]`: a type that stands for its definition.
///
/// ```
/// use scheduler_core::{job::{Job, ScheduledJob}, jobs};
///
/// struct Heartbeat;
///
/// impl ScheduledJob for Heartbeat {
///     fn job() -> Job {
///         Job::builder("heartbeat").cron("* * * * *").run(|| async {})
///     }
/// }
///
/// assert_eq!(jobs![Heartbeat][0].settings().id.as_str(), "heartbeat");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    note = "a job is a function with `#[scheduled_job]`, or a type that implements `ScheduledJob`"
)]
pub trait ScheduledJob {
    /// The definition.
    fn job() -> Job;
}

/// Lists jobs explicitly: `jobs![first, module::second]`, for [`crate::SchedulerBuilder::jobs`].
#[macro_export]
macro_rules! jobs {
    ($($job:path),* $(,)?) => {
        ::std::vec![$(<$job as $crate::job::ScheduledJob>::job()),*]
    };
}

/// A job: its settings and its body; cheap to clone.
#[derive(Clone)]
pub struct Job {
    settings: Arc<JobSettings>,
    /// The calendar whose days the trigger is to be without, by its name.
    except: Option<String>,
    given: setting::Given,
    is_annotated: bool,
    body: Arc<Body>,
    mistakes: Vec<Mistake>,
}

type CheckParams = fn(Option<&Value>) -> Result<(), String>;

type CheckUpstream = fn(&Value) -> Result<(), String>;

type Run = dyn Fn(JobContext) -> BoxFuture<'static, JobResult> + Send + Sync;

struct Body {
    run: Box<Run>,
    arguments: Arguments,
    /// What the body returns.
    returns: Returns,
}

/// What the arguments of a body ask for.
#[derive(Debug, Default)]
pub struct Arguments {
    required_state: Vec<RequiredState>,
    check_params: Vec<CheckParams>,
    check_upstream: Vec<CheckUpstream>,
    needs_upstream: bool,
}

impl Arguments {
    /// Adds an argument.
    #[must_use]
    pub fn with<T: FromContext>(mut self) -> Self {
        self.required_state.extend(T::required_state());
        self.check_params.push(T::check_params);
        self.check_upstream.push(T::check_upstream);
        self.needs_upstream |= T::needs_upstream();
        self
    }
}

impl Job {
    /// Begins the definition of a job; mistakes come back from the scheduler's `build()`, all at once.
    #[must_use = "a job begins to exist with `run`"]
    pub fn builder(id: impl Into<String>) -> JobBuilder {
        JobBuilder::new(id.into())
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Arc<JobSettings> {
        &self.settings
    }

    /// Whether it is a function with `#[scheduled_job]`.
    #[must_use]
    pub const fn is_annotated(&self) -> bool {
        self.is_annotated
    }

    /// What one of the settings comes from.
    #[must_use]
    pub fn source_of(&self, setting: Setting) -> Source {
        match (self.given.has(setting), self.is_annotated) {
            (false, _) => Source::Default,
            (true, true) => Source::Attribute,
            (true, false) => Source::Builder,
        }
    }

    pub(crate) fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    pub(crate) fn except(&self) -> Option<&str> {
        self.except.as_deref()
    }

    /// Takes the days of a calendar out of the trigger.
    ///
    /// # Errors
    /// What is wrong with that, where nothing would be left.
    pub(crate) fn take_out(&mut self, calendar: Arc<Calendar>) -> Result<(), TriggerError> {
        let settings = Arc::make_mut(&mut self.settings);
        if let Trigger::Cron(cron) = &settings.trigger {
            settings.trigger = cron.clone().except(calendar)?.into();
        }
        Ok(())
    }

    pub(crate) fn required_state(&self) -> &[RequiredState] {
        &self.body.arguments.required_state
    }

    /// Whether the body takes what the jobs answered that this one runs after.
    pub(crate) fn needs_upstream(&self) -> bool {
        self.body.arguments.needs_upstream
    }

    /// What the body returns.
    pub(crate) fn returns(&self) -> Returns {
        self.body.returns
    }

    /// Whether a result of the jobs that this one runs after fits the body's arguments.
    pub(crate) fn check_upstream(&self, result: &Value) -> Result<(), String> {
        self.body.arguments.check_upstream.iter().try_for_each(|check| check(result))
    }

    /// Whether a manual request's parameters fit the body's arguments.
    pub(crate) fn check_params(&self, params: Option<&Value>) -> Result<(), String> {
        self.body.arguments.check_params.iter().try_for_each(|check| check(params))
    }

    /// The body's future. Extractors run inside it, so that a panic in one is a failed attempt too.
    pub(crate) fn run(&self, context: JobContext) -> BoxFuture<'static, JobResult> {
        (self.body.run)(context)
    }
}

#[cfg(any(test, feature = "testing"))]
impl Job {
    /// The same job, whose body's future this function puts into another.
    pub(crate) fn wrapped(
        &self,
        wrap: impl Fn(JobContext, BoxFuture<'static, JobResult>) -> BoxFuture<'static, JobResult> + Send + Sync + 'static,
    ) -> Self {
        let body = Arc::clone(&self.body);
        let arguments = Arguments {
            required_state: body.arguments.required_state.clone(),
            check_params: body.arguments.check_params.clone(),
            check_upstream: body.arguments.check_upstream.clone(),
            needs_upstream: body.arguments.needs_upstream,
        };
        let returns = self.body.returns;
        let run = Box::new(move |context: JobContext| wrap(context.clone(), (body.run)(context)));
        Self { body: Arc::new(Body { run, arguments, returns }), ..self.clone() }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("settings", &self.settings).field("except", &self.except).finish_non_exhaustive()
    }
}
