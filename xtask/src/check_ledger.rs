//! `cargo xtask check-ledger`: the history of a database against what was promised.

use std::{path::Path, process::ExitCode};

use crate::{
    cargo::{cargo, status},
    failure::Result,
};

/// Builds the checker, and passes everything on to it. Its database is that of `DATABASE_URL` unless it is named.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<ExitCode> {
    let mut check = cargo(root);
    check.args(["run", "--quiet", "--package", "scheduler-tests", "--bin", "check-ledger", "--"]).args(args);
    Ok(match status(&mut check)?.code() {
        Some(0) => ExitCode::SUCCESS,
        Some(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        None => ExitCode::FAILURE,
    })
}
