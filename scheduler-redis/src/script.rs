//! The scripts, one a file.

use redis::{Cmd, Script};

/// A script, sent as text with the first command of a trip and by its hash with the others.
///
/// So there is no answer "no such script" to handle, whatever the server has forgotten.
#[derive(Debug)]
pub(crate) struct TripScript {
    text: &'static str,
    hash: String,
}

impl TripScript {
    pub(crate) fn acquire() -> Self {
        Self::new(include_str!("lua/acquire.lua"))
    }

    pub(crate) fn renew() -> Self {
        Self::new(include_str!("lua/renew.lua"))
    }

    pub(crate) fn release() -> Self {
        Self::new(include_str!("lua/release.lua"))
    }

    fn new(text: &'static str) -> Self {
        Self { text, hash: Script::new(text).get_hash().to_owned() }
    }

    /// A call on one key, to which arguments are added; `is_first` of its trip.
    pub(crate) fn call(&self, key: &str, is_first: bool) -> Cmd {
        let mut command = if is_first { redis::cmd("EVAL") } else { redis::cmd("EVALSHA") };
        command.arg(if is_first { self.text } else { &self.hash }).arg(1).arg(key);
        command
    }
}
