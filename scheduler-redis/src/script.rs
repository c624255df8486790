//! The Lua scripts, which the server runs by their hash, and is told where it does not know them.

use std::sync::LazyLock;

use redis::{Pipeline, ServerErrorKind, Value};

use crate::{error::RedisError, link::Link};

pub(crate) static ACQUIRE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/acquire.lua")));
pub(crate) static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/renew.lua")));
pub(crate) static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/release.lua")));

/// A script and its hash.
#[derive(Debug)]
pub(crate) struct Script {
    text: &'static str,
    hash: String,
}

/// What a script runs on.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) key: String,
    pub(crate) arguments: Vec<String>,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }

    /// Runs it on each call in one trip, and in a second where the server does not know it; the answers in their order.
    pub(crate) async fn run(&self, link: &Link, calls: &[Call]) -> Result<Vec<Value>, RedisError> {
        let mut pipeline = Pipeline::with_capacity(calls.len());
        for call in calls {
            add(&mut pipeline, "EVALSHA", &self.hash, call);
        }
        let mut answers = link.send(&pipeline).await?;
        let unknown: Vec<usize> = (0..answers.len()).filter(|&nth| is_unknown_script(&answers[nth])).collect();
        if !unknown.is_empty() {
            pipeline.clear();
            for (place, &nth) in unknown.iter().enumerate() {
                // From the first the server learns the script.
                let (command, script) = if place == 0 { ("EVAL", self.text) } else { ("EVALSHA", &*self.hash) };
                add(&mut pipeline, command, script, &calls[nth]);
            }
            for (nth, answer) in unknown.into_iter().zip(link.send(&pipeline).await?) {
                answers[nth] = answer;
            }
        }
        answers.into_iter().map(|answer| answer.extract_error().map_err(|error| link.explain(error))).collect()
    }
}

fn add(pipeline: &mut Pipeline, command: &str, script: &str, call: &Call) {
    const KEYS: usize = 1;
    pipeline.cmd(command).arg(script).arg(KEYS).arg(&call.key).arg(&call.arguments);
}

fn is_unknown_script(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
}
