//! How far behind its instant an occurrence is due.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::JobSettings;
use crate::identity::InstanceId;

impl JobSettings {
    /// The earliest start of an occurrence (R1): its instant, and what of the jitter falls to the job and the occurrence's key.
    pub(crate) fn not_before(&self, scheduled_at: DateTime<Utc>, instance: InstanceId) -> DateTime<Utc> {
        if self.jitter.is_zero() {
            return scheduled_at;
        }
        // Occurrences never change places: each is due before the instant of the next one, which may be nearer for once.
        let gap = self.trigger.next_after(scheduled_at).and_then(|next| (next - scheduled_at).to_std().ok());
        let spread = gap.map_or(self.jitter, |gap| gap.min(self.jitter)).as_millis().max(1);
        let key = self.occurrence_key(scheduled_at, instance);
        let digest = Sha256::digest(format!("{}\n{key}", self.id));
        let hash = digest.iter().take(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
        let delay = i64::try_from(u128::from(hash) % spread).unwrap_or(i64::MAX);
        let delay = TimeDelta::try_milliseconds(delay).unwrap_or(TimeDelta::MAX);
        scheduled_at.checked_add_signed(delay).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The occurrence whose earliest start this is.
    pub(crate) fn occurrence_due_at(&self, not_before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.jitter.is_zero() {
            return Some(not_before);
        }
        self.trigger.prev_before(not_before + TimeDelta::nanoseconds(1))
    }

    /// Up to where every occurrence was due by an instant: of those up to the instant itself only the last may not be.
    pub(crate) fn due_until(&self, by: DateTime<Utc>, instance: InstanceId) -> DateTime<Utc> {
        if self.jitter.is_zero() {
            return by;
        }
        let last = self.trigger.prev_before(by + TimeDelta::nanoseconds(1));
        let early = last.filter(|last| self.not_before(*last, instance) > by);
        early.map_or(by, |early| early - TimeDelta::milliseconds(1))
    }

    /// The first occurrence that is due after an instant.
    pub(crate) fn next_due_after(&self, after: DateTime<Utc>, instance: InstanceId) -> Option<DateTime<Utc>> {
        self.trigger.next_after(self.due_until(after, instance))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::job::{Job, JobBuilder};

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn settings(job: impl FnOnce(JobBuilder) -> JobBuilder) -> JobSettings {
        JobSettings::clone(job(Job::builder("job")).run(|| async {}).settings())
    }

    #[test]
    fn occurrences_keep_their_order_and_are_spread_over_the_jitter() {
        let settings = settings(|job| job.every(MINUTE).jitter(MINUTE));
        let instance = InstanceId::random();
        let begin = at("2026-01-01T00:00:00Z");
        let mut in_sixths = [0; 6];
        for scheduled_at in settings.trigger.upcoming(begin).take(1_000) {
            let not_before = settings.not_before(scheduled_at, instance);
            let delay = (not_before - scheduled_at).to_std().expect("not early");
            assert!(delay < MINUTE, "{delay:?}");
            in_sixths[usize::try_from(delay.as_secs() / 10).expect("below 6")] += 1;
            assert_eq!(settings.occurrence_due_at(not_before), Some(scheduled_at));
            let moment = TimeDelta::milliseconds(1);
            assert_eq!(settings.due_until(not_before, instance), not_before);
            assert_eq!(settings.next_due_after(not_before - moment, instance), Some(scheduled_at));
            assert_eq!(settings.next_due_after(not_before, instance), settings.trigger.next_after(scheduled_at));
            if !delay.is_zero() {
                assert_eq!(settings.due_until(not_before - moment, instance), scheduled_at - moment);
            }
        }
        assert!(in_sixths.iter().all(|count| (100..=240).contains(count)), "{in_sixths:?}");
    }

    #[test]
    fn the_same_occurrence_has_the_same_jitter_everywhere_and_for_good() {
        let shared = settings(|job| job.every(MINUTE).jitter(MINUTE));
        let first = at("2026-01-01T00:01:00Z");
        // Another version of the code must not move what an older one has moved already.
        let expected = first + TimeDelta::milliseconds(52_518);
        assert_eq!([0; 2].map(|_| shared.not_before(first, InstanceId::random())), [expected; 2]);
        let own = settings(|job| job.every(MINUTE).jitter(MINUTE).every_instance(true));
        let spread: std::collections::BTreeSet<_> =
            (0..20).map(|_| own.not_before(first, InstanceId::random())).collect();
        assert!(spread.len() > 10, "what each instance runs for itself is spread over the instances: {spread:?}");
    }

    #[test]
    fn where_the_next_occurrence_is_nearer_than_the_jitter_it_is_waited_for_no_longer() {
        let settings = settings(|job| job.cron_any(["0 9 * * *", "1 9 * * *"]).jitter(600 * MINUTE));
        let instance = InstanceId::random();
        for day in 1..=28 {
            let nine = at(&format!("2026-02-{day:02}T09:00:00Z"));
            assert!(settings.not_before(nine, instance) < nine + MINUTE);
        }
    }

    #[test]
    fn what_occurs_once_has_the_whole_jitter() {
        let once = at("2026-01-01T00:01:00Z");
        let settings = settings(|job| job.at(once).jitter(600 * MINUTE));
        let not_before = settings.not_before(once, InstanceId::random());
        assert!(not_before > once + 10 * MINUTE && not_before < once + 600 * MINUTE, "{not_before}");
        assert_eq!(settings.occurrence_due_at(not_before), Some(once));
    }

    #[test]
    fn the_start_deadline_counts_from_the_earliest_start() {
        let settings = settings(|job| job.every(10 * MINUTE).jitter(10 * MINUTE));
        let first = at("2026-01-01T00:10:00Z");
        let instance = InstanceId::random();
        assert_eq!(settings.deadline(first, instance) - settings.not_before(first, instance), TimeDelta::minutes(1));
    }

    #[test]
    fn without_jitter_every_occurrence_is_due_at_its_instant() {
        let settings = settings(|job| job.every(MINUTE));
        let (at, instance) = (at("2026-01-01T00:01:00Z"), InstanceId::random());
        assert_eq!((settings.not_before(at, instance), settings.due_until(at, instance)), (at, at));
        assert!(settings.policies().get("jitter_ms").is_none(), "its fingerprint is that of older versions");
    }
}
