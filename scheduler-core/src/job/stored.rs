//! A job's settings as a revision stored them (R22).

use std::{str::FromStr, time::Duration};

use scheduler_cron::{Trigger, TriggerError};
use serde_json::Value;

use super::{JobBuilder, JobSettings};
use crate::{identity::JobId, store::JobRevision};

impl JobSettings {
    /// What a revision says of when a job is due and what becomes of what was not started in time. What it does not say
    /// is as for a job that does not say it either.
    pub(crate) fn from_revision(id: &JobId, revision: &JobRevision) -> Result<Self, TriggerError> {
        let trigger: Trigger = revision.trigger.parse()?;
        let policies = Policies(&revision.policies);
        let unsaid = JobBuilder::new(id.as_str().to_owned()).into_settings();
        Ok(Self {
            id: id.clone(),
            trigger,
            enabled: revision.enabled,
            retries: policies.count("retries").unwrap_or(unsaid.retries),
            start_deadline: policies.duration("start_deadline_ms"),
            catch_up: policies.word("catch_up").unwrap_or(unsaid.catch_up),
            catch_up_window: policies.duration("catch_up_window_ms"),
            catch_up_limit: policies.count("catch_up_limit").unwrap_or(unsaid.catch_up_limit),
            jitter: policies.duration("jitter_ms").unwrap_or(unsaid.jitter),
            overlap: policies.word("overlap").unwrap_or(unsaid.overlap),
            every_instance: policies.0.get("every_instance").and_then(Value::as_bool).unwrap_or(unsaid.every_instance),
            on_crash: policies.word("on_crash").unwrap_or(unsaid.on_crash),
            ..unsaid
        })
    }
}

/// Policies as [`JobSettings::policies`] writes them.
struct Policies<'a>(&'a Value);

impl Policies<'_> {
    fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.as_u64()
    }

    fn count(&self, key: &str) -> Option<u32> {
        self.number(key)?.try_into().ok()
    }

    fn duration(&self, key: &str) -> Option<Duration> {
        self.number(key).map(Duration::from_millis)
    }

    fn word<T: FromStr>(&self, key: &str) -> Option<T> {
        self.0.get(key)?.as_str()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;

    use super::*;
    use crate::{
        identity::RevisionId,
        job::{CatchUp, Job, OnCrash, OverlapPolicy},
    };

    fn revision(settings: &JobSettings) -> JobRevision {
        JobRevision {
            id: RevisionId(1),
            fingerprint: settings.fingerprint().into(),
            trigger: settings.trigger.to_string().into(),
            zone: None,
            zone_data: None,
            policies: Arc::new(settings.policies()),
            enabled: settings.enabled,
            valid_from: DateTime::UNIX_EPOCH,
            valid_to: None,
        }
    }

    #[test]
    fn what_decides_an_occurrence_is_read_back_as_it_was() {
        let job = Job::builder("job")
            .cron("30 0 * * *")
            .tz("Asia/Jakarta")
            .retries(7)
            .start_deadline(Duration::from_secs(90))
            .catch_up(CatchUp::All)
            .catch_up_window(Duration::from_secs(7_200))
            .overlap(OverlapPolicy::QueueOne)
            .on_crash(OnCrash::Rerun)
            .jitter(Duration::from_secs(600))
            .run(|| async {});
        for settings in
            [&**job.settings(), &**Job::builder("plain").every(Duration::from_secs(5)).run(|| async {}).settings()]
        {
            let read = JobSettings::from_revision(&settings.id, &revision(settings)).expect("it can be read");
            assert_eq!((&read.id, &read.trigger, read.retries), (&settings.id, &settings.trigger, settings.retries));
            assert_eq!((read.start_deadline, read.catch_up), (settings.start_deadline, settings.catch_up));
            assert_eq!((read.catch_up_window, read.on_crash), (settings.catch_up_window, settings.on_crash));
            assert_eq!((read.catch_up_limit, read.overlap), (settings.catch_up_limit, settings.overlap));
            assert_eq!(read.jitter, settings.jitter);
        }
    }

    #[test]
    fn policies_that_another_version_wrote_are_read_as_far_as_they_go() {
        let mut stored = revision(Job::builder("job").every(Duration::from_secs(5)).run(|| async {}).settings());
        stored.policies = Arc::new(serde_json::json!({"catch_up": "sometimes", "retries": -1, "later": true}));
        let read = JobSettings::from_revision(&JobId::from_stored("job"), &stored).expect("it can be read");
        assert_eq!((read.catch_up, read.retries), (CatchUp::Latest, JobSettings::DEFAULT_RETRIES));
        stored.trigger = "each second tuesday".into();
        assert!(JobSettings::from_revision(&JobId::from_stored("job"), &stored).is_err());
    }
}
