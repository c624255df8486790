//! How an execution stands or ended, and why.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::occurrence::{UnknownWord, words};

words! {
    /// Where an execution stands, or how it ended.
    Status: "status" {
        /// It waits to be taken.
        Pending = "pending",
        /// It was claimed or taken, and its instance holds a lease.
        Running = "running",
        /// The job said so.
        Succeeded = "succeeded",
        /// It returned an error, panicked, or lost its lease.
        Failed = "failed",
        /// It ran longer than the job's timeout.
        TimedOut = "timed_out",
        /// An operator or a shutdown stopped it.
        Cancelled = "cancelled",
        /// Its instance was lost.
        Abandoned = "abandoned",
        /// It never ran, by a policy or on request.
        Skipped = "skipped",
        /// It was not started in time.
        Missed = "missed",
        ..
        /// What a later version has written, as it is.
        Other,
    }
}

impl Status {
    /// Whether a row of this status never changes again (but for R6's late outcome and R12's growing range row). One that a
    /// later version knows alone is left to it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running | Self::Other(_))
    }

    /// Whether a run that ended so may be followed by one more attempt on request (R20).
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Cancelled | Self::Abandoned)
    }
}

words! {
    /// Why an execution has its status, where the status alone does not say.
    Reason: "reason" {
        /// The body panicked.
        Panic = "panic",
        /// The lease could not be renewed in time.
        LeaseLost = "lease_lost",
        /// The drain time ended.
        Shutdown = "shutdown",
        /// It was to run on one instance, which was lost.
        InstanceLost = "instance_lost",
        /// An operator asked for it.
        ByRequest = "by_request",
        /// The claim's reply was lost and its body never started.
        UnknownCommit = "unknown_commit",
        /// The body said that there was nothing to do.
        NothingToDo = "nothing_to_do",
        /// The job's key was held.
        Overlap = "overlap",
        /// The job was paused.
        Paused = "paused",
        /// The job it runs after did not succeed.
        Upstream = "upstream",
        /// Another one waits already.
        QueueFull = "queue_full",
        /// A later one waits instead.
        Superseded = "superseded",
        /// The start deadline passed.
        Deadline = "deadline",
        /// A later occurrence stands for it.
        Coalesced = "coalesced",
        /// More were missed than the catch-up limit allows.
        CatchUpLimit = "catch_up_limit",
        /// The body ran over its timeout and has not ended yet.
        Timeout = "timeout",
        ..
        /// What a later version has written, as it is.
        Other,
    }
}

impl Reason {
    /// Whether a range row may have it, and so grow (R12, R23).
    #[must_use]
    pub const fn is_of_ranges(self) -> bool {
        matches!(self, Self::Deadline | Self::Coalesced | Self::CatchUpLimit | Self::Paused)
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn a_reason_of_a_later_version_is_kept_as_it_is() {
        let reason = Reason::from_stored("not_on_tuesdays");
        assert_eq!(reason.as_str(), "not_on_tuesdays");
        assert_eq!(serde_json::to_string(&reason).expect("a word"), "\"not_on_tuesdays\"");
        assert_eq!(serde_json::from_str::<Reason>("\"not_on_tuesdays\"").expect("a word"), reason);
        assert_eq!(Reason::from_stored("overlap"), Reason::Overlap);
        assert!("not_on_tuesdays".parse::<Reason>().is_err(), "nobody asks for it by a name that is not known");
        // A spoiled table costs no memory without end.
        for n in 0..1_000 {
            let _ = Reason::from_stored(&format!("word-{n}"));
        }
        assert_eq!(Reason::from_stored("one more").as_str(), "other");
    }
}
