//! The directory that holds the servers' data.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{
    account::{Account, can_write_in, give},
    random,
};
use crate::failure::{Context, Failure, Result};

/// Makes it in the state directory; where the account can't get there (a clone below `/root`), in a temporary one.
pub(crate) fn create(state_directory: &Path, account: Option<&Account>) -> Result<PathBuf> {
    let name = format!("scheduler-services-{}", random::hex(8)?);
    let beside = state_directory.join("servers");
    // Left over from a state file that was lost; nothing can run in it that is still known.
    remove(&beside)?;
    let temporary = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()].map(|parent| parent.join(&name));
    for home in std::iter::once(beside).chain(temporary) {
        // The directory must be new: others can write in a temporary directory, and could have made it first.
        if DirBuilder::new().mode(0o700).create(&home).is_err() {
            continue;
        }
        give(account, &home)?;
        if can_write_in(account, &home) {
            return Ok(home);
        }
        remove(&home)?;
    }
    Err(Failure::new(format!("the servers' user can write neither below {} nor in /tmp", state_directory.display())))
}

pub(crate) fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context(|| format!("removing {}", directory.display()))
        }
        _ => Ok(()),
    }
}
