//! What a job wants done where services differ.

use crate::occurrence::words;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

use crate::occurrence::UnknownWord;

words! {
    /// What happens to an occurrence that is due while the job's last execution still runs (R17).
    OverlapPolicy: "overlap policy" {
        /// It is recorded as skipped. The default.
        Skip = "skip",
        /// It waits, one at most.
        QueueOne = "queue_one",
        /// It runs beside the other.
        Allow = "allow",
        /// The one that runs is asked to stop, and it runs then.
        CancelRunning = "cancel_running",
    }
}

words! {
    /// What happens to occurrences that were not started in time (R12).
    CatchUp: "catch-up policy" {
        /// They are recorded as missed.
        Skip = "skip",
        /// The latest one within the window runs late, the others are recorded as missed. The default.
        Latest = "latest",
        /// Those within the window run late, oldest first, up to the limit; without a window the limit alone bounds them.
        All = "all",
    }
}

words! {
    /// How the delay before a retry grows.
    Backoff: "backoff" {
        /// It does not. The default.
        Fixed = "fixed",
        /// It doubles with each attempt, up to the longest delay.
        Exponential = "exponential",
    }
}

words! {
    /// What follows a run whose instance was lost (R6).
    OnCrash: "crash policy" {
        /// Nothing: the body starts at most once an attempt. The default.
        Abandon = "abandon",
        /// The next attempt, if any are left: the body runs at least once.
        Rerun = "rerun",
    }
}

words! {
    /// What happens to a body whose lease can't be renewed (R5).
    OnLostLease: "lost-lease policy" {
        /// Its token is cancelled, then it is dropped. The default.
        Cancel = "cancel",
        /// It goes on, and relies on its fencing token.
        Ignore = "ignore",
    }
}
