//! The queues that `bench store` measures beside the scheduler, in a program with dependencies of its own.

use std::path::{Path, PathBuf};

use crate::cargo::{cargo, status};

/// Where the benchmark looks for the program.
pub(crate) const VARIABLE: &str = "QUEUE_PEERS";

const MANIFEST: &str = "benches/queues/Cargo.toml";

/// Builds the program, where the parts asked for have it. One that can't be built is told of, and the benchmark does
/// without it and says so.
pub(crate) fn provide(root: &Path, passed_on: &[String]) -> Option<PathBuf> {
    let only = passed_on.iter().position(|argument| argument == "--only").and_then(|at| passed_on.get(at + 1));
    if only.is_some_and(|parts| parts.split(',').all(|part| part != "peers")) {
        return None;
    }
    let target = root.join("target");
    let mut build = cargo(root);
    build.args(["build", "--release", "--locked", "--manifest-path", MANIFEST, "--target-dir"]).arg(&target);
    match status(&mut build) {
        Ok(built) if built.success() => Some(target.join("release/queue-peers")),
        Ok(built) => {
            eprintln!("warning: the queues can't be built ({built}), and are left out");
            None
        }
        Err(failure) => {
            eprintln!("warning: the queues can't be built ({failure}), and are left out");
            None
        }
    }
}
