//! The user that servers run as.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use crate::failure::{Context, Failure, Result};

/// Another user than the caller, because PostgreSQL refuses to run as root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// `None`: the caller is not root, and runs the servers itself.
    pub(crate) fn for_servers() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").context(|| "reading /etc/passwd".to_owned())?;
        match ["postgres", "nobody"].iter().find_map(|name| Self::find(&users, name)) {
            Some(account) => Ok(Some(account)),
            None => Err(Failure::new("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")),
        }
    }

    /// The account that the directory was given to: a package may have added `postgres` since, and data has one owner.
    pub(crate) fn owning(directory: &Path) -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let owner = fs::metadata(directory).context(|| format!("reading {}", directory.display()))?;
        Ok(Some(Self { name: owner.uid().to_string(), uid: owner.uid(), gid: owner.gid() }))
    }

    fn find(users: &str, name: &str) -> Option<Self> {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let known = fields.next()?;
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            (known == name).then(|| Self { name: known.to_owned(), uid, gid })
        })
    }
}

/// A command that runs as the account, in a directory that every user may enter, without PostgreSQL's own variables.
pub(crate) fn command(account: Option<&Account>, program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid).env("HOME", "/").env_remove("USER");
    }
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(name);
        }
    }
    command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// Gives the file or directory to the account.
pub(crate) fn give(account: Option<&Account>, path: &Path) -> Result<()> {
    let Some(account) = account else { return Ok(()) };
    chown(path, Some(account.uid), Some(account.gid))
        .context(|| format!("giving {} to user `{}`", path.display(), account.name))
}

/// Whether the account can write in the directory: that it owns it is not enough, every parent counts.
pub(crate) fn can_write_in(account: Option<&Account>, directory: &Path) -> bool {
    let mut probe = command(account, Path::new("/bin/sh"));
    probe.args(["-c", "cd \"$1\" && : > probe && rm probe", "sh"]).arg(directory).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_read_from_the_list_of_users() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres:x:106:113::/var/lib/postgresql:/bin/bash\n";
        let expected = Account { name: "postgres".to_owned(), uid: 106, gid: 113 };
        assert_eq!(Account::find(users, "postgres"), Some(expected));
        assert_eq!(Account::find(users, "post"), None);
    }

    #[test]
    fn a_directory_that_does_not_exist_can_not_be_written_in() {
        assert!(!can_write_in(None, Path::new("/no/such/directory")));
    }
}
