//! Which settings a job was given, and by what.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::occurrence::{UnknownWord, words};

words! {
    /// A setting that a job may be given beside its trigger; its word is the attribute's key and the builder's method.
    Setting: "setting" {
        /// The name for people.
        Name = "name",
        /// What the job does.
        Description = "description",
        /// Words to find it by.
        Tags = "tags",
        /// The zone of a cron expression.
        Tz = "tz",
        /// How its expressions are read.
        Dialect = "dialect",
        /// The calendar whose days are taken out.
        Except = "except",
        /// What becomes of times that the clock skips.
        DstGap = "dst_gap",
        /// What becomes of times that the clock shows twice.
        DstFold = "dst_fold",
        /// Whether the schedule runs.
        Enabled = "enabled",
        /// How many attempts may follow the first.
        Retries = "retries",
        /// How long after a failed attempt the next one starts.
        RetryDelay = "retry_delay",
        /// How that delay grows.
        Backoff = "backoff",
        /// The longest delay.
        MaxRetryDelay = "max_retry_delay",
        /// How long one attempt may run.
        Timeout = "timeout",
        /// How late an occurrence may start.
        StartDeadline = "start_deadline",
        /// What happens to occurrences that were not started in time.
        CatchUp = "catch_up",
        /// How far back they may lie.
        CatchUpWindow = "catch_up_window",
        /// How many may be caught up at once.
        CatchUpLimit = "catch_up_limit",
        /// What happens to an occurrence that is due while the last execution still runs.
        Overlap = "overlap",
        /// What follows a run whose instance was lost.
        OnCrash = "on_crash",
        /// What happens to a body whose lease can't be renewed.
        OnLostLease = "on_lost_lease",
        /// How long a lease lives unless renewed.
        LeaseTtl = "lease_ttl",
        /// How far behind its instant an occurrence may be put.
        Jitter = "jitter",
        /// Whether each instance runs each occurrence.
        EveryInstance = "every_instance",
    }
}

words! {
    /// What a setting comes from.
    Source: "source" {
        /// Nobody gave it.
        Default = "default",
        /// `#[scheduled_job]`, of whose function's docs the description may be.
        Attribute = "attribute",
        /// The builder.
        Builder = "builder",
    }
}

/// The settings that were given: a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Given(u32);

impl Given {
    pub(super) const fn add(&mut self, setting: Setting) {
        self.0 |= 1 << setting as u32;
    }

    pub(super) const fn has(self, setting: Setting) -> bool {
        self.0 & (1 << setting as u32) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{job::Job, outcome::Outcome};

    #[test]
    fn a_job_tells_which_settings_it_was_given_even_where_they_are_the_defaults() {
        let job = Job::builder("job").cron("30 0 * * *").tz("UTC").retries(3).every_instance(false).run(|| async {});
        let given = Setting::ALL.iter().filter(|setting| job.source_of(**setting) == Source::Builder);
        let given: Vec<_> = given.copied().collect();
        assert_eq!(given, [Setting::Tz, Setting::Retries, Setting::EveryInstance]);
        assert_eq!(job.source_of(Setting::Timeout), Source::Default);
    }

    #[test]
    fn what_an_annotated_function_is_given_is_the_attributes() {
        let job =
            Job::builder("job").manual().description("Does it.").run_0(|| async {}, |()| Ok(Outcome::succeeded("")));
        assert_eq!(job.source_of(Setting::Description), Source::Attribute);
        assert_eq!(job.source_of(Setting::Name), Source::Default);
    }

    #[test]
    fn each_setting_has_a_bit_of_its_own() {
        assert!(Setting::ALL.len() <= 32);
        let mut given = Given::default();
        Setting::ALL.iter().for_each(|setting| given.add(*setting));
        assert_eq!(given.0.count_ones() as usize, Setting::ALL.len());
    }
}
