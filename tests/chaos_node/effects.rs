//! What bodies did, in a file that no table knows of.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    sync::Arc,
};

use scheduler::{
    clock::{Clock as _, SystemClock},
    prelude::JobContext,
};
use serde::{Deserialize, Serialize};

/// One line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Effect {
    pub(crate) job: String,
    pub(crate) occurrence: String,
    pub(crate) attempt: u32,
    pub(crate) fence: i64,
    pub(crate) execution: i64,
    pub(crate) instance: String,
    pub(crate) what: What,
    /// The machine's boot-time clock in milliseconds, which nobody steps.
    pub(crate) at: u64,
}

/// What a body did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    Start,
    /// It did all it had to, and returns.
    End,
}

/// The file; every line is one write, so that a kill leaves whole lines.
#[derive(Debug, Clone)]
pub(crate) struct Effects(Arc<File>);

impl Effects {
    pub(crate) fn open(path: &str) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Self(Arc::new(file.unwrap_or_else(|error| panic!("{path} can't be written: {error}"))))
    }

    pub(crate) fn log(&self, context: &JobContext, what: What) {
        let effect = Effect {
            job: context.job_id().to_string(),
            occurrence: context.occurrence().to_string(),
            attempt: context.attempt(),
            fence: context.fencing_token().0,
            execution: context.execution_id().0,
            instance: context.instance().to_string(),
            what,
            at: now(),
        };
        let line = format!("{}\n", serde_json::to_string(&effect).expect("plain values"));
        (&*self.0).write_all(line.as_bytes()).expect("the file takes a line");
    }
}

/// The boot-time clock in milliseconds.
pub(crate) fn now() -> u64 {
    u64::try_from(SystemClock.uptime().as_millis()).expect("an uptime below 500 million years")
}

/// The lines of a file.
pub(crate) fn read(path: &str) -> Vec<Effect> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path} can't be read: {error}"));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}
