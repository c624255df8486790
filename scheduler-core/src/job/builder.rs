//! The definition of a job, setting by setting.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound as _, Utc};
use scheduler_cron::{
    ClockChangePolicy, CronExpr, CronTrigger, Dialect, FoldPolicy, GapPolicy, NamedZone, Trigger, parse_zone,
};

use super::{
    Backoff, Body, CatchUp, Job, JobFunction, JobSettings, OnCrash, OnLostLease, OverlapPolicy, Returns,
    setting::{Given, Setting},
};
use crate::{build_error::Mistake, identity::JobId};

/// A job in the making. Mistakes are kept and come back from the scheduler's `build()`, all at once.
#[derive(Debug, Clone)]
#[must_use = "a job begins to exist with `run`"]
pub struct JobBuilder {
    id: String,
    when: Vec<When>,
    zone: Option<String>,
    dialect: Option<Dialect>,
    except: Option<String>,
    clock_changes: ClockChangePolicy,
    settings: JobSettings,
    given: Given,
    problems: Vec<String>,
}

/// A trigger as it was written.
#[derive(Debug, Clone)]
enum When {
    Cron(Vec<String>),
    Every(Duration),
    At(DateTime<Utc>),
    After(Vec<String>),
    Manual,
}

impl JobBuilder {
    pub(super) fn new(id: String) -> Self {
        let mut problems = Vec::new();
        let job_id = JobId::parse(&id).unwrap_or_else(|error| {
            problems.push(error.to_string());
            JobId::parse("invalid").expect("a valid id")
        });
        let settings = JobSettings {
            id: job_id,
            name: id.clone(),
            description: None,
            tags: Vec::new(),
            trigger: Trigger::Manual,
            enabled: true,
            retries: JobSettings::DEFAULT_RETRIES,
            retry_delay: None,
            backoff: Backoff::Fixed,
            max_retry_delay: JobSettings::DEFAULT_MAX_RETRY_DELAY,
            timeout: None,
            start_deadline: None,
            catch_up: CatchUp::Latest,
            catch_up_window: None,
            catch_up_limit: JobSettings::DEFAULT_CATCH_UP_LIMIT,
            overlap: OverlapPolicy::Skip,
            on_crash: OnCrash::Abandon,
            on_lost_lease: OnLostLease::Cancel,
            lease_ttl: JobSettings::DEFAULT_LEASE,
            jitter: Duration::ZERO,
            every_instance: false,
        };
        Self {
            id,
            when: Vec::new(),
            zone: None,
            dialect: None,
            except: None,
            clock_changes: ClockChangePolicy::default(),
            settings,
            given: Given::default(),
            problems,
        }
    }

    /// Runs at the times of a cron expression, in the job's zone.
    pub fn cron(mut self, expression: impl Into<String>) -> Self {
        self.when.push(When::Cron(vec![expression.into()]));
        self
    }

    /// Runs at the times that any of several cron expressions names, in the job's zone: one trigger, in which an instant
    /// that two of them name is one occurrence.
    pub fn cron_any<T: Into<String>>(mut self, expressions: impl IntoIterator<Item = T>) -> Self {
        self.when.push(When::Cron(expressions.into_iter().map(Into::into).collect()));
        self
    }

    /// Runs each time this long has gone by since the Unix epoch, so that instances and restarts agree.
    pub fn every(mut self, period: Duration) -> Self {
        self.when.push(When::Every(period));
        self
    }

    /// Runs once, at this instant, to the millisecond.
    pub fn at(mut self, instant: DateTime<Utc>) -> Self {
        // An occurrence's key has milliseconds; an instant between two of them would never equal its own row's.
        self.when.push(When::At(instant.trunc_subsecs(3)));
        self
    }

    /// Runs when an occurrence of each of these jobs has succeeded, for the same occurrence of the one job that their
    /// chains begin with (R24). Its `scheduled_at` is that occurrence's.
    ///
    /// Where one of them is over and has not succeeded, this one is recorded as skipped. An occurrence that was skipped or
    /// missed at the beginning of the chain never ran, and brings nothing of it. Requests for two jobs of one chain under one
    /// idempotency key are one beginning.
    pub fn after<T: Into<String>>(mut self, upstreams: impl IntoIterator<Item = T>) -> Self {
        self.when.push(When::After(upstreams.into_iter().map(Into::into).collect()));
        self
    }

    /// Runs on request alone.
    pub fn manual(mut self) -> Self {
        self.when.push(When::Manual);
        self
    }

    /// The IANA time zone of a cron expression: its name, such as `Asia/Jakarta`, a `chrono_tz::Tz`, or a
    /// [`NamedZone`]; UTC unless given. Its clock follows the zone data in use, whichever of them names it.
    pub fn tz(mut self, zone: impl ToString) -> Self {
        self.given.add(Setting::Tz);
        self.zone = Some(zone.to_string());
        self
    }

    /// Reads cron expressions that were written for another scheduler as they were meant there (see [`Dialect`]).
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.given.add(Setting::Dialect);
        self.dialect = Some(dialect);
        self
    }

    /// Takes the days of a calendar out of a cron trigger: what falls on one of them, by the zone's date, does not occur.
    ///
    /// The name is that of a calendar which the scheduler is given by [`crate::SchedulerBuilder::calendar`].
    pub fn except(mut self, calendar: impl Into<String>) -> Self {
        self.given.add(Setting::Except);
        self.except = Some(calendar.into());
        self
    }

    /// What becomes of a cron expression's times that the zone's clock skips; unless given, the expression's class
    /// decides (see [`ClockChangePolicy`]).
    pub fn dst_gap(mut self, policy: GapPolicy) -> Self {
        self.given.add(Setting::DstGap);
        self.clock_changes.gap = Some(policy);
        self
    }

    /// What becomes of a cron expression's times that the zone's clock shows twice; unless given, the expression's class
    /// decides (see [`ClockChangePolicy`]).
    pub fn dst_fold(mut self, policy: FoldPolicy) -> Self {
        self.given.add(Setting::DstFold);
        self.clock_changes.fold = Some(policy);
        self
    }

    /// The name for people; the id unless given.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.given.add(Setting::Name);
        self.settings.name = name.into();
        self
    }

    /// What the job does.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.given.add(Setting::Description);
        self.settings.description = Some(description.into());
        self
    }

    /// Words to find the job by.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.given.add(Setting::Tags);
        self.settings.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Whether the schedule runs; a manual request runs all the same.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.given.add(Setting::Enabled);
        self.settings.enabled = enabled;
        self
    }

    /// How many attempts may follow the first; 3 unless given.
    pub fn retries(mut self, retries: u32) -> Self {
        self.given.add(Setting::Retries);
        self.settings.retries = retries;
        self
    }

    /// How long after a failed attempt the next one starts; the shorter of 60 s and half the trigger's period unless given. A
    /// retry that waits holds the job's key: one that waits longer than a period has occurrences skipped under
    /// [`OverlapPolicy::Skip`].
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.given.add(Setting::RetryDelay);
        self.settings.retry_delay = Some(delay);
        self
    }

    /// How the delay grows; not at all unless given.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.given.add(Setting::Backoff);
        self.settings.backoff = backoff;
        self
    }

    /// The longest delay; an hour unless given.
    pub fn max_retry_delay(mut self, delay: Duration) -> Self {
        self.given.add(Setting::MaxRetryDelay);
        self.settings.max_retry_delay = delay;
        self
    }

    /// How long one attempt may run; without end unless given. What it answers after that counts as
    /// [`JobContext::cancellation_token`](crate::context::JobContext::cancellation_token) says.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.given.add(Setting::Timeout);
        self.settings.timeout = Some(timeout);
        self
    }

    /// How late an occurrence may start; the shorter of its period and 60 s unless given. Unless given, the trigger's last
    /// occurrence, as that of [`JobBuilder::at`], may start however late it is: no other follows it.
    pub fn start_deadline(mut self, deadline: Duration) -> Self {
        self.given.add(Setting::StartDeadline);
        self.settings.start_deadline = Some(deadline);
        self
    }

    /// What happens to occurrences that were not started in time; [`CatchUp::Latest`] unless given.
    pub fn catch_up(mut self, policy: CatchUp) -> Self {
        self.given.add(Setting::CatchUp);
        self.settings.catch_up = policy;
        self
    }

    /// How far back occurrences are caught up. Unless given it is one period, under [`CatchUp::All`] as far back as
    /// `catch_up_limit` occurrences reach, and without end for the trigger's last occurrence.
    pub fn catch_up_window(mut self, window: Duration) -> Self {
        self.given.add(Setting::CatchUpWindow);
        self.settings.catch_up_window = Some(window);
        self
    }

    /// How many occurrences are caught up under [`CatchUp::All`], the latest ones; 100 unless given, at most 10,000. Under
    /// [`OverlapPolicy::Allow`] as many caught-up and backfilled occurrences run at once.
    pub fn catch_up_limit(mut self, occurrences: u32) -> Self {
        self.given.add(Setting::CatchUpLimit);
        self.settings.catch_up_limit = occurrences;
        self
    }

    /// What happens to an occurrence that is due while the last execution still runs; [`OverlapPolicy::Skip`] unless given.
    pub fn overlap(mut self, policy: OverlapPolicy) -> Self {
        self.given.add(Setting::Overlap);
        self.settings.overlap = policy;
        self
    }

    /// What follows a run whose instance was lost; nothing unless given.
    pub fn on_crash(mut self, policy: OnCrash) -> Self {
        self.given.add(Setting::OnCrash);
        self.settings.on_crash = policy;
        self
    }

    /// What happens to a body whose lease can't be renewed; it is stopped unless given.
    pub fn on_lost_lease(mut self, policy: OnLostLease) -> Self {
        self.given.add(Setting::OnLostLease);
        self.settings.on_lost_lease = policy;
        self
    }

    /// How long a lease lives unless renewed; 30 s unless given, at least 2 s.
    pub fn lease_ttl(mut self, ttl: Duration) -> Self {
        self.given.add(Setting::LeaseTtl);
        self.settings.lease_ttl = ttl;
        self
    }

    /// Puts each occurrence behind its instant by less than this, so that what many jobs, services or tenants have at one
    /// instant does not start all at once; not at all unless given.
    ///
    /// How far is a hash of the job's id and the occurrence: the same on every instance and after every restart, and under
    /// [`JobBuilder::every_instance`] each instance's own. `scheduled_at` stays the instant that the trigger names; start
    /// deadline, catch-up window and lateness count from the later one. At most the trigger's period, so that occurrences
    /// keep their order.
    pub fn jitter(mut self, most: Duration) -> Self {
        self.given.add(Setting::Jitter);
        self.settings.jitter = most;
        self
    }

    /// Runs each occurrence on each instance, as for a cache that every process keeps for itself: without asking the lock
    /// backend, without catch-up, and with a key for each instance, so that `overlap` is within one (R26).
    ///
    /// What an instance had running or waiting ends with it. A manual request runs once, on whichever instance is free.
    pub fn every_instance(mut self, every_instance: bool) -> Self {
        self.given.add(Setting::EveryInstance);
        self.settings.every_instance = every_instance;
        self
    }

    /// The settings so far.
    pub(super) fn into_settings(self) -> JobSettings {
        self.settings
    }

    /// The job, with its body: an async function of at most eight arguments (see [`crate::extract::FromContext`]).
    #[must_use]
    pub fn run<Args>(self, body: impl JobFunction<Args>) -> Job {
        fn arguments<Args, F: JobFunction<Args>>(_: &F) -> super::Arguments {
            F::arguments()
        }
        fn returns<Args, F: JobFunction<Args>>(_: &F) -> Returns {
            F::returns().0
        }
        let (arguments, returns) = (arguments(&body), returns(&body));
        self.with_body(Body { run: Box::new(move |context| body.run(context)), arguments, returns }, false)
    }

    /// The job, with its body, which may be a function with the attribute.
    pub(super) fn with_body(mut self, body: Body, is_annotated: bool) -> Job {
        self.settle();
        Job {
            mistakes: self
                .problems
                .into_iter()
                .map(|problem| Mistake::Setting { id: self.id.clone(), problem })
                .collect(),
            settings: Arc::new(self.settings),
            except: self.except,
            given: self.given,
            is_annotated,
            body: Arc::new(body),
        }
    }

    /// Makes the trigger of what was written, and notes what can't be.
    fn settle(&mut self) {
        let zone = self.zone.take().map(|name| {
            parse_zone(&name).unwrap_or_else(|error| {
                self.problems.push(with_help(&error, error.help().as_deref()));
                NamedZone::UTC
            })
        });
        match self.when.as_slice() {
            [When::Cron(expressions)] => {
                let expressions = expressions.clone();
                self.settle_cron(&expressions, zone.unwrap_or(NamedZone::UTC));
            }
            [When::Every(period)] => match Trigger::every(*period) {
                Ok(trigger) => self.settings.trigger = trigger,
                Err(error) => self.problems.push(error.to_string()),
            },
            [When::At(instant)] => self.settings.trigger = Trigger::At(*instant),
            [When::After(upstreams)] => {
                let upstreams = upstreams.clone();
                self.settle_after(&upstreams);
            }
            [When::Manual] => self.settings.trigger = Trigger::Manual,
            [] => self.problems.push("has no trigger; give it `cron`, `every`, `at`, `after` or `manual`".to_owned()),
            more => self.problems.push(format!("has {} triggers, and may have one", more.len())),
        }
        if !self.when.iter().any(|when| matches!(when, When::Cron(_))) {
            let of_cron = [
                ("tz", zone.is_some()),
                ("dialect", self.dialect.is_some()),
                ("except", self.except.is_some()),
                ("dst_gap", self.clock_changes.gap.is_some()),
                ("dst_fold", self.clock_changes.fold.is_some()),
            ];
            let given = of_cron.into_iter().filter(|(_, given)| *given);
            self.problems.extend(given.map(|(key, _)| format!("`{key}` goes with `cron` alone")));
        }
        if !self.settings.jitter.is_zero() && matches!(self.when.as_slice(), [When::After(_) | When::Manual]) {
            self.problems.push("`jitter` goes with `cron`, `every` or `at` alone".to_owned());
        }
        self.check_every_instance();
        self.check_durations();
    }

    /// What says what happens later, or elsewhere, does not go with a run of each instance's own.
    fn check_every_instance(&mut self) {
        let settings = &self.settings;
        if !settings.every_instance {
            return;
        }
        let given = [
            ("on_crash = rerun", settings.on_crash == OnCrash::Rerun),
            ("catch_up = all", settings.catch_up == CatchUp::All),
            ("catch_up_window", settings.catch_up_window.is_some()),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given);
        self.problems.extend(given.map(|(key, _)| {
            format!("`{key}` does not go with `every_instance`: a run ends with its instance, and none is caught up")
        }));
    }

    fn settle_after(&mut self, upstreams: &[String]) {
        let wrong = upstreams.iter().filter_map(|id| JobId::parse(id).err()).map(|error| error.to_string());
        let twice = upstreams.iter().enumerate().filter(|(nth, id)| upstreams[..*nth].contains(id));
        let twice = twice.map(|(_, id)| format!("`after` names `{id}` twice"));
        let problems: Vec<String> = wrong.chain(twice).collect();
        if !problems.is_empty() {
            self.problems.extend(problems);
            return;
        }
        match Trigger::after(upstreams.iter().map(String::as_str)) {
            Ok(trigger) => self.settings.trigger = trigger,
            Err(error) => self.problems.push(error.to_string()),
        }
    }

    fn settle_cron(&mut self, expressions: &[String], zone: NamedZone) {
        let mut parsed = Vec::new();
        for expression in expressions {
            match CronExpr::parse_dialect(expression, self.dialect.unwrap_or_default()) {
                Ok(expression) => parsed.push(expression),
                Err(error) => self.problems.push(with_help(&error, error.help())),
            }
        }
        // A union of what is left would only repeat, or hide, what was told.
        if parsed.len() < expressions.len() {
            return;
        }
        match CronTrigger::union(parsed, zone) {
            Ok(trigger) => self.settings.trigger = trigger.with_clock_changes(self.clock_changes).into(),
            Err(error) => self.problems.push(error.to_string()),
        }
    }

    fn check_durations(&mut self) {
        let settings = &self.settings;
        if settings.lease_ttl < JobSettings::SHORTEST_LEASE {
            self.problems.push(format!("`lease_ttl` is {:?}, and must be at least 2s", settings.lease_ttl));
        }
        for (name, duration) in [("timeout", settings.timeout), ("start_deadline", settings.start_deadline)] {
            if duration == Some(Duration::ZERO) {
                self.problems.push(format!("`{name}` must be longer than nothing"));
            }
        }
        let bounded = [
            ("retry_delay", settings.retry_delay),
            ("max_retry_delay", Some(settings.max_retry_delay)),
            ("timeout", settings.timeout),
            ("lease_ttl", Some(settings.lease_ttl)),
            ("jitter", Some(settings.jitter)),
        ];
        for (name, duration) in bounded {
            if let Some(duration) = duration.filter(|duration| *duration > JobSettings::LONGEST_DELAY) {
                self.problems.push(format!("`{name}` is {duration:?}, and must be at most 366 days"));
            }
        }
    }
}

/// What is wrong, and how to mend it.
fn with_help(error: &dyn std::error::Error, help: Option<&str>) -> String {
    help.map_or_else(|| error.to_string(), |help| format!("{error}; {help}"))
}
