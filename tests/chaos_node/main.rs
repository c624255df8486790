//! One process of the chaos run, and its judge: `cargo xtask soak --minutes M --seed S` drives both.
//!
//! `chaos-node run` is a service with jobs of every kind, which log what they do to a file of their own; `chaos-node judge`
//! compares that file with the history, and `chaos-node disturb` is an operator with a heavy hand.
#![expect(clippy::print_stdout, reason = "what it found goes to stdout")]

mod disturb;
mod effects;
mod jobs;
mod judge;
mod node;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run"] => node::run().await,
        ["disturb", what] => disturb::run(what).await,
        ["judge", from, to] => match (from.parse(), to.parse()) {
            (Ok(from), Ok(to)) => judge::run(from, to).await,
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: chaos-node run | disturb backends|flush|delete|spoil | judge FROM TO (seconds since the epoch)");
    ExitCode::from(2)
}

/// A setting from the environment.
fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("`{name}` is not set: `cargo xtask soak` sets it"))
}
