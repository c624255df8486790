//! The Lua scripts, each of which answers many requests of one kind.

use std::sync::LazyLock;

use redis::{Cmd, RedisWrite, ToRedisArgs};
use scheduler_core::lock::CURSOR_LIFE;

/// A script, in the order in which a trip runs them: a key that one task gives up is free for another that asks in the same
/// trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Script {
    Release,
    Renew,
    Acquire,
}

/// A script's text, and the hash by which a server runs it that knows it.
#[derive(Debug)]
struct Text {
    text: String,
    hash: String,
}

static RELEASE: LazyLock<Text> = LazyLock::new(|| Text::new(include_str!("lua/release.lua")));
static RENEW: LazyLock<Text> = LazyLock::new(|| Text::new(include_str!("lua/renew.lua")));
static ACQUIRE: LazyLock<Text> = LazyLock::new(|| Text::new(include_str!("lua/acquire.lua")));

/// One request: a key, and what the script is told of it. All requests to one script have as many arguments.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) key: String,
    pub(crate) arguments: Vec<Argument>,
}

/// What a script is told.
#[derive(Debug)]
pub(crate) enum Argument {
    Word(&'static str),
    Text(String),
    Number(i64),
}

impl Script {
    fn text(self) -> &'static Text {
        match self {
            Self::Release => &RELEASE,
            Self::Renew => &RENEW,
            Self::Acquire => &ACQUIRE,
        }
    }

    /// The command that runs it on these requests. A server that may not know the script is told it.
    pub(crate) fn command<'a>(self, calls: impl ExactSizeIterator<Item = &'a Call> + Clone, tells: bool) -> Cmd {
        /// About what a request has: a key, and up to four arguments.
        const PARTS: usize = 5;
        /// About as long as they are together.
        const BYTES: usize = 128;
        let Text { text, hash } = self.text();
        let (name, script) = if tells { ("EVAL", text) } else { ("EVALSHA", hash) };
        let mut command = Cmd::with_capacity(3 + calls.len() * PARTS, script.len() + calls.len() * BYTES);
        command.arg(name).arg(script).arg(calls.len());
        for call in calls.clone() {
            command.arg(&call.key);
        }
        for argument in calls.flat_map(|call| &call.arguments) {
            command.arg(argument);
        }
        command
    }
}

impl Text {
    fn new(script: &str) -> Self {
        let life = CURSOR_LIFE.as_millis();
        let text = format!("local CURSOR_LIFE = {life}\n{}\n{script}", include_str!("lua/each.lua"));
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }
}

impl ToRedisArgs for Argument {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        match self {
            Self::Word(word) => word.write_redis_args(out),
            Self::Text(text) => text.write_redis_args(out),
            Self::Number(number) => number.write_redis_args(out),
        }
    }
}
