//! A job's settings.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use scheduler_cron::{NamedZone, Trigger};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Backoff, CatchUp, OnCrash, OnLostLease, OverlapPolicy};
use crate::{
    identity::{InstanceId, JobId},
    occurrence::OccurrenceKey,
};

/// A job's settings, as they are after defaults.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobSettings {
    /// The stable id.
    pub id: JobId,
    /// The name for people; the id where none was given.
    pub name: String,
    /// What the job does.
    pub description: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The rule that decides when.
    pub trigger: Trigger,
    /// Whether the schedule runs. A manual request runs all the same.
    pub enabled: bool,
    /// How many attempts may follow the first.
    pub retries: u32,
    /// How long after a failed attempt the next one starts; the shorter of 60 s and half the period where none was given.
    pub retry_delay: Option<Duration>,
    /// How that delay grows.
    pub backoff: Backoff,
    /// The longest delay.
    pub max_retry_delay: Duration,
    /// How long one attempt may run.
    pub timeout: Option<Duration>,
    /// How late an occurrence may start. Where none was given it is the shorter of its period and 60 s, and for the trigger's last
    /// occurrence, as that of `at`, without end.
    pub start_deadline: Option<Duration>,
    /// What happens to occurrences that were not started in time.
    pub catch_up: CatchUp,
    /// How far back they may lie. Where none was given it is one period, under [`CatchUp::All`] as far as `catch_up_limit` occurrences,
    /// and for the trigger's last occurrence without end.
    pub catch_up_window: Option<Duration>,
    /// How many may be caught up at once.
    pub catch_up_limit: u32,
    /// What happens to an occurrence that is due while the last execution still runs.
    pub overlap: OverlapPolicy,
    /// What follows a run whose instance was lost.
    pub on_crash: OnCrash,
    /// What happens to a body whose lease can't be renewed.
    pub on_lost_lease: OnLostLease,
    /// How long a lease lives unless renewed.
    pub lease_ttl: Duration,
    /// How far behind its instant an occurrence may be put; below the gap to the next one, whatever this says.
    pub jitter: Duration,
    /// Whether each instance runs each occurrence (R26).
    pub every_instance: bool,
}

impl JobSettings {
    /// How many retries a job has unless it says otherwise: the predecessor's number.
    pub const DEFAULT_RETRIES: u32 = 3;
    /// How long a retry waits at most unless the job says otherwise: the predecessor's number.
    pub const DEFAULT_RETRY_DELAY: Duration = Duration::from_secs(60);
    /// The longest delay before a retry unless the job says otherwise.
    pub const DEFAULT_MAX_RETRY_DELAY: Duration = Duration::from_secs(60 * 60);
    /// How long a lease lives unless renewed, unless the job says otherwise (R3).
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(30);
    /// The longest lease, timeout and delay before a retry: what is longer is a mistake, and no store can add it up.
    pub const LONGEST_DELAY: Duration = Duration::from_secs(366 * 24 * 60 * 60);
    /// The shortest lease (R3): below it, an ordinary pause of a process loses leases.
    pub const SHORTEST_LEASE: Duration = Duration::from_secs(2);
    /// How many occurrences may be caught up at once, unless the job says otherwise.
    pub const DEFAULT_CATCH_UP_LIMIT: u32 = 100;
    /// The period of a trigger that has no next occurrence, and the longest default start deadline.
    pub const DEFAULT_PERIOD: Duration = Duration::from_secs(60);

    /// The key of an occurrence of the schedule, for this instance where each has its own.
    pub(crate) fn occurrence_key(&self, scheduled_at: DateTime<Utc>, instance: InstanceId) -> OccurrenceKey {
        if self.every_instance {
            OccurrenceKey::on_instance(scheduled_at, instance)
        } else {
            OccurrenceKey::scheduled(scheduled_at)
        }
    }

    /// Whether recovery makes the next attempt of a run whose instance was lost; what is one instance's alone ends with it.
    pub(crate) fn reruns_on_crash(&self) -> bool {
        self.on_crash == OnCrash::Rerun && !self.every_instance
    }

    /// The zone of the trigger; UTC where it has none.
    #[must_use]
    pub fn zone(&self) -> NamedZone {
        self.trigger.zone().unwrap_or(NamedZone::UTC)
    }

    /// The jobs that this one runs after (R24); none for a job with a schedule of its own.
    pub fn upstreams(&self) -> impl Iterator<Item = &str> {
        let jobs: &[Box<str>] = if let Trigger::After(jobs) = &self.trigger { jobs } else { &[] };
        jobs.iter().map(|job| &**job)
    }

    /// How many attempts an occurrence may have.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.retries.saturating_add(1)
    }

    /// The gap from this occurrence to the next; [`JobSettings::DEFAULT_PERIOD`] where none follows.
    #[must_use]
    pub fn period(&self, scheduled_at: DateTime<Utc>) -> Duration {
        self.gap(scheduled_at).unwrap_or(Self::DEFAULT_PERIOD)
    }

    /// The gap from this occurrence to the next; none for the trigger's last.
    fn gap(&self, scheduled_at: DateTime<Utc>) -> Option<Duration> {
        self.trigger.next_after(scheduled_at).and_then(|next| (next - scheduled_at).to_std().ok())
    }

    /// The instant from which on this occurrence may no longer start on time. The trigger's last one may at any time, unless a
    /// deadline was given: no other follows in which its work would be done.
    pub(crate) fn deadline(&self, scheduled_at: DateTime<Utc>, instance: InstanceId) -> DateTime<Utc> {
        let late = self.start_deadline.or_else(|| Some(self.gap(scheduled_at)?.min(Self::DEFAULT_PERIOD)));
        late.map_or(NEVER, |late| add(self.not_before(scheduled_at, instance), late))
    }

    /// Whether an occurrence that is so late may still be caught up (R12).
    pub(crate) fn is_in_catch_up_window(&self, scheduled_at: DateTime<Utc>, late: Duration) -> bool {
        match self.catch_up_window {
            Some(window) => late <= window,
            // The limit bounds them.
            None if self.catch_up == CatchUp::All => true,
            None => self.gap(scheduled_at).is_none_or(|period| late <= period),
        }
    }

    /// The bound before which the job's rows decide nothing any more (R21): its catch-up window, its start deadline, its
    /// jitter and a day ago.
    #[must_use]
    pub fn prunable_before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
        // Of an uneven trigger the longer of the periods around now.
        let last = self.trigger.prev_before(now);
        let period = self.period(now).max(last.map_or(Duration::ZERO, |last| self.period(last)));
        let window = self.catch_up_window.unwrap_or_else(|| match self.catch_up {
            CatchUp::All => self.reach(now).max(period),
            _ => period,
        });
        let deadline = self.start_deadline.unwrap_or_else(|| period.min(Self::DEFAULT_PERIOD));
        let needed = window.saturating_add(deadline).saturating_add(self.jitter).saturating_add(A_DAY);
        let needed = TimeDelta::from_std(needed).unwrap_or(TimeDelta::MAX);
        now.checked_sub_signed(needed).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// How far back `catch_up_limit` occurrences reach.
    fn reach(&self, now: DateTime<Utc>) -> Duration {
        let limit = usize::try_from(self.catch_up_limit).unwrap_or(usize::MAX);
        let earlier = std::iter::successors(self.trigger.prev_before(now), |at| self.trigger.prev_before(*at));
        let first = earlier.take(limit).last();
        first.and_then(|first| (now - first).to_std().ok()).unwrap_or(Duration::ZERO)
    }

    /// How long a retry of this occurrence waits, before any backoff. Unless given it is the shorter of 60 s and half the period,
    /// so that a retry does not keep the key from the occurrence that follows; 60 s where none follows.
    #[must_use]
    pub fn retry_delay_of(&self, scheduled_at: DateTime<Utc>) -> Duration {
        let unsaid =
            || self.gap(scheduled_at).map_or(Self::DEFAULT_RETRY_DELAY, |gap| Self::DEFAULT_RETRY_DELAY.min(gap / 2));
        self.retry_delay.unwrap_or_else(unsaid)
    }

    /// How long after the failed attempt of this number at an occurrence the next one starts.
    #[must_use]
    pub fn delay_after(&self, attempt: u32, scheduled_at: DateTime<Utc>) -> Duration {
        let first = self.retry_delay_of(scheduled_at);
        let delay = match self.backoff {
            Backoff::Fixed => first,
            Backoff::Exponential => first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))),
        };
        delay.min(self.max_retry_delay.max(first))
    }

    /// The policies as a store keeps them with the revision; and, under `except`, the days that a calendar takes out: a revision
    /// tells by itself which occurrences it had, whatever became of the calendar's file since.
    #[must_use]
    pub fn policies(&self) -> Value {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let mut policies = json!({
            "retries": self.retries,
            // What is computed is no part of a revision: this was the default before there was any reckoning.
            "retry_delay_ms": millis(self.retry_delay.unwrap_or(Self::DEFAULT_RETRY_DELAY)),
            "backoff": self.backoff,
            "max_retry_delay_ms": millis(self.max_retry_delay),
            "timeout_ms": self.timeout.map(millis),
            "start_deadline_ms": self.start_deadline.map(millis),
            "catch_up": self.catch_up,
            "catch_up_window_ms": self.catch_up_window.map(millis),
            "catch_up_limit": self.catch_up_limit,
            "overlap": self.overlap,
            "on_crash": self.on_crash,
            "on_lost_lease": self.on_lost_lease,
            "lease_ttl_ms": millis(self.lease_ttl),
            "every_instance": self.every_instance,
        });
        // A job without one keeps the fingerprint that it had before there was any.
        if !self.jitter.is_zero() {
            policies["jitter_ms"] = millis(self.jitter).into();
        }
        if let Trigger::Cron(cron) = &self.trigger
            && let Some(calendar) = cron.exception()
        {
            policies["except"] = json!({ "calendar": calendar.name(), "days": calendar.days() });
        }
        policies
    }

    /// The hash of what makes two revisions of the job differ: trigger, policies (with a calendar's days) and `enabled`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let text = format!("{}\n{}\n{}", self.trigger, self.policies(), self.enabled);
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(text) {
            hex.push_str(&format!("{byte:02x}"));
        }
        hex
    }
}

/// The deadline of what has none: later than every occurrence, and an instant that every store can keep.
const NEVER: DateTime<Utc> = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day.and_time(NaiveTime::MIN).and_utc(),
    None => DateTime::<Utc>::MAX_UTC,
};

/// An instant later, or the last one there is.
fn add(at: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(duration)
        .ok()
        .and_then(|delta| at.checked_add_signed(delta))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Job, JobBuilder};

    #[test]
    fn a_retry_waits_no_longer_than_half_a_period_unless_told() {
        let at: DateTime<Utc> = "2026-06-10T12:00:00Z".parse().expect("an instant");
        let seconds = Duration::from_secs;
        let delay = |job: Job| job.settings().delay_after(1, at);
        let every = |period| Job::builder("job").every(seconds(period));
        assert_eq!(delay(every(5).run(|| async {})), Duration::from_millis(2_500));
        assert_eq!(delay(every(120).run(|| async {})), seconds(60));
        assert_eq!(delay(every(3_600).run(|| async {})), seconds(60));
        assert_eq!(delay(every(5).retry_delay(seconds(7)).run(|| async {})), seconds(7));
        assert_eq!(delay(Job::builder("job").manual().run(|| async {})), seconds(60));
        assert_eq!(delay(Job::builder("job").at(at).run(|| async {})), seconds(60));
        let growing = every(8).backoff(Backoff::Exponential).run(|| async {});
        assert_eq!(growing.settings().delay_after(3, at), seconds(16));
    }

    #[test]
    fn a_default_that_is_computed_makes_no_revision() {
        let job = |delay: Option<Duration>| {
            let builder = Job::builder("job").every(Duration::from_secs(5));
            delay.into_iter().fold(builder, JobBuilder::retry_delay).run(|| async {}).settings().fingerprint()
        };
        assert_eq!(job(None), job(Some(JobSettings::DEFAULT_RETRY_DELAY)));
        assert_ne!(job(None), job(Some(Duration::from_secs(61))));
        // As the versions before had it.
        assert_eq!(job(None), "e88b4228d235d3157356499f157e31189cf37fd414c42ff88af72c2f5dc89506");
    }

    #[test]
    fn rows_are_needed_for_as_long_as_they_decide_what_is_owed_and_a_day() {
        let now: DateTime<Utc> = "2026-06-10T12:00:00Z".parse().expect("an instant");
        let needed = |job: Job| now - job.settings().prunable_before(now);
        let day = TimeDelta::days(1);
        let minutely = Job::builder("minutely").every(Duration::from_secs(60)).run(|| async {});
        assert_eq!(needed(minutely), day + TimeDelta::minutes(2));
        let said = Job::builder("said")
            .every(Duration::from_secs(60))
            .catch_up_window(Duration::from_secs(7_200))
            .start_deadline(Duration::from_secs(600))
            .run(|| async {});
        assert_eq!(needed(said), day + TimeDelta::minutes(130));
        // Of a trigger of uneven periods the longer one counts: 30 days back, 31 ahead.
        let monthly = Job::builder("monthly").cron("0 0 10 * *").run(|| async {});
        assert_eq!(needed(monthly), day + TimeDelta::days(30) + TimeDelta::minutes(1));
        // Under `all` as many occurrences are needed as may be caught up.
        let all = Job::builder("all").every(Duration::from_secs(60)).catch_up(CatchUp::All).catch_up_limit(500);
        assert_eq!(needed(all.run(|| async {})), day + TimeDelta::minutes(501));
        let manual = Job::builder("manual").manual().run(|| async {});
        assert_eq!(needed(manual), day + TimeDelta::minutes(2));
    }
}
