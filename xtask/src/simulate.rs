//! `cargo xtask soak --seeds N`: the simulation, seed after seed, in release and without servers.

use std::{path::Path, process::ExitCode};

use crate::{
    cargo::{cargo, status},
    failure::Result,
};

/// Which seeds are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seeds {
    /// So many, from one on; of each that violates something it is told.
    Many { from: u64, count: u64 },
    /// One, of which all that happens is told.
    Traced(u64),
}

pub(crate) fn run(root: &Path, seeds: Seeds) -> Result<ExitCode> {
    let mut simulate = cargo(root);
    simulate.args([
        "run",
        "--release",
        "--package",
        "scheduler-core",
        "--features",
        "testing",
        "--example",
        "simulate",
    ]);
    simulate.arg("--").args(arguments(seeds));
    Ok(if status(&mut simulate)?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn arguments(seeds: Seeds) -> Vec<String> {
    match seeds {
        Seeds::Many { from, count } => vec!["--seeds".into(), count.to_string(), "--from".into(), from.to_string()],
        Seeds::Traced(seed) => vec!["--trace".into(), seed.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_passed_on() {
        assert_eq!(arguments(Seeds::Many { from: 7, count: 100 }), ["--seeds", "100", "--from", "7"]);
        assert_eq!(arguments(Seeds::Traced(7)), ["--trace", "7"]);
    }
}
