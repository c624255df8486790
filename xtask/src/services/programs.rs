//! Programs that tests start by themselves: found on the machine, else installed by apt.

use std::{env, path::PathBuf};

use super::install;
use crate::failure::Result;

/// A program, and Debian's package of it.
const PROGRAMS: [(&str, &str); 3] = [("pgbouncer", "pgbouncer"), ("faketime", "faketime"), ("promtool", "prometheus")];

/// Sees that each is there. One that can't be had is told of; its tests say so again, and fail.
pub(crate) fn provide() {
    let missing: Vec<&str> =
        PROGRAMS.iter().filter(|(name, _)| find(name).is_none()).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return;
    }
    let installed: Option<Result<()>> = install::packages_by_apt(&missing);
    let why = match installed {
        Some(Ok(())) => return,
        Some(Err(failure)) => failure.to_string(),
        None => "apt-get: only as root, on Debian or Ubuntu".to_owned(),
    };
    eprintln!("warning: install {} for the tests that start them ({why})", missing.join(" and "));
}

/// Where users' and servers' programs lie.
fn find(name: &str) -> Option<PathBuf> {
    let usual = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(usual).map(|directory| directory.join(name)).find(|file| install::is_program(file))
}
