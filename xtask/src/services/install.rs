//! Finds the servers' programs on the machine, or installs them.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::process;
use crate::failure::{Context, Failure, Result};

/// What the two servers need, as directories of programs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) postgres: Option<PathBuf>,
    pub(crate) redis: Option<PathBuf>,
}

/// The names a Redis server goes by.
pub(crate) const REDIS_NAMES: [&str; 2] = ["redis-server", "valkey-server"];

/// Without all three, a directory has only PostgreSQL's clients.
const POSTGRES_NAMES: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Looks where programs usually lie.
pub(crate) fn find() -> Found {
    let path = env::var_os("PATH").unwrap_or_default();
    let (debian, homebrew) = (Path::new("/usr/lib/postgresql"), Path::new("/opt/homebrew/opt"));
    Found { postgres: find_postgres(&path, &[debian, homebrew]).or_else(ask_pg_config), redis: find_redis(&path) }
}

/// In `path`, else the newest version below `roots`, which hold a directory with a `bin` for each version.
fn find_postgres(path: &OsStr, roots: &[&Path]) -> Option<PathBuf> {
    let mut versions: Vec<_> = roots.iter().filter_map(|root| fs::read_dir(root).ok()).flatten().flatten().collect();
    // By number: 9.6 is older than 15.
    versions.sort_by_key(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        std::cmp::Reverse(digits.split('.').next().and_then(|major| major.parse::<u32>().ok()))
    });
    let versions = versions.iter().map(|entry| entry.path().join("bin"));
    env::split_paths(path).chain(versions).find(|directory| has_postgres(directory))
}

fn ask_pg_config() -> Option<PathBuf> {
    let answer = Command::new("pg_config").arg("--bindir").output().ok()?;
    let directory = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    Some(directory).filter(|directory| has_postgres(directory))
}

fn has_postgres(directory: &Path) -> bool {
    POSTGRES_NAMES.iter().all(|name| is_program(&directory.join(name)))
}

fn find_redis(path: &OsStr) -> Option<PathBuf> {
    let usual = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from);
    env::split_paths(path).chain(usual).find(|directory| redis_program(directory).is_some())
}

/// The Redis server in a directory.
pub(crate) fn redis_program(directory: &Path) -> Option<PathBuf> {
    REDIS_NAMES.iter().map(|name| directory.join(name)).find(|file| is_program(file))
}

pub(crate) fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|known| known.is_file() && known.permissions().mode() & 0o111 != 0)
}

/// Installs the servers that are asked for. `None`: not root, or no Debian.
pub(crate) fn by_apt(postgres: bool, redis: bool) -> Option<Result<()>> {
    let mut packages = Vec::new();
    packages.extend(postgres.then_some("postgresql"));
    packages.extend(redis.then_some("redis-server"));
    packages_by_apt(&packages)
}

/// Installs these packages. `None`: not root, or no Debian.
pub(crate) fn packages_by_apt(packages: &[&str]) -> Option<Result<()>> {
    let usable = rustix::process::geteuid().is_root() && Path::new("/usr/bin/apt-get").exists();
    usable.then(|| {
        let _quiet = NoAutostart::set()?;
        eprintln!("installing {} by apt-get", packages.join(" and "));
        let apt = |args: &[&str]| {
            let mut command = Command::new("apt-get");
            command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
            process::output(&mut command).map(drop)
        };
        apt(&["update"])?;
        apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
    })
}

/// While it lives, Debian's packages start no server of their own, which nobody asked for.
struct NoAutostart {
    written: bool,
}

impl NoAutostart {
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    /// Leaves a policy that the machine has already.
    fn set() -> Result<Self> {
        if Path::new(Self::POLICY).exists() {
            return Ok(Self { written: false });
        }
        let write = || {
            fs::write(Self::POLICY, "#!/bin/sh\nexit 101\n")?;
            fs::set_permissions(Self::POLICY, fs::Permissions::from_mode(0o755))
        };
        write().context(|| format!("writing {}", Self::POLICY))?;
        Ok(Self { written: true })
    }
}

impl Drop for NoAutostart {
    fn drop(&mut self) {
        if self.written && fs::remove_file(Self::POLICY).is_err() {
            eprintln!("warning: {} stays; it keeps packages from starting their servers", Self::POLICY);
        }
    }
}

/// What a person can do where no way worked.
pub(crate) fn advice(postgres: bool, redis: bool, tried: &[String]) -> Failure {
    let missing = match (postgres, redis) {
        (true, true) => "neither PostgreSQL (initdb, pg_ctl, postgres) nor Redis (redis-server)",
        (true, false) => "no PostgreSQL (initdb, pg_ctl, postgres)",
        _ => "no Redis (redis-server)",
    };
    let mut message = format!("there is {missing} on this machine");
    for attempt in tried {
        message.push_str(&format!("\n  {attempt}"));
    }
    message.push_str(
        "\ninstall them: `apt-get install postgresql redis-server` (Debian, Ubuntu), `dnf install postgresql-server redis` \
         (Fedora), `brew install postgresql redis` (macOS); or Docker with its compose plugin; or set DATABASE_URL and \
         REDIS_URL to servers that run elsewhere",
    );
    Failure::new(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(directory: &Path, name: &str, mode: u32) {
        fs::create_dir_all(directory).unwrap();
        fs::write(directory.join(name), "").unwrap();
        fs::set_permissions(directory.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn postgres_in(directory: &Path) {
        POSTGRES_NAMES.iter().for_each(|name| program(directory, name, 0o755));
    }

    #[test]
    fn the_newest_postgres_is_taken_by_number() {
        let root = tempfile::tempdir().unwrap();
        ["9.6", "15", "8.4"].iter().for_each(|version| postgres_in(&root.path().join(version).join("bin")));
        let found = find_postgres(OsStr::new("/nowhere"), &[root.path(), Path::new("/nowhere")]);
        assert_eq!(found, Some(root.path().join("15/bin")));
    }

    #[test]
    fn the_path_comes_first_and_clients_alone_do_not_count() {
        let root = tempfile::tempdir().unwrap();
        let (clients, chosen) = (root.path().join("clients"), root.path().join("chosen"));
        program(&clients, "pg_ctl", 0o755);
        postgres_in(&chosen);
        postgres_in(&root.path().join("versions/17/bin"));
        let path = env::join_paths([&clients, &chosen]).unwrap();
        assert_eq!(find_postgres(&path, &[&root.path().join("versions")]), Some(chosen));
        assert_eq!(find_postgres(clients.as_os_str(), &[]), None);
    }

    #[test]
    fn redis_goes_by_either_name_and_must_be_executable() {
        let root = tempfile::tempdir().unwrap();
        program(root.path(), "redis-server", 0o644);
        assert_eq!(redis_program(root.path()), None);
        program(root.path(), "valkey-server", 0o755);
        assert_eq!(redis_program(root.path()), Some(root.path().join("valkey-server")));
    }

    #[test]
    fn the_advice_names_what_is_missing_and_what_was_tried() {
        let message = advice(false, true, &["apt-get failed: no network".to_owned()]).to_string();
        assert!(
            message.contains("no Redis") && message.contains("no network") && message.contains("brew"),
            "{message}"
        );
        assert!(!message.contains("no PostgreSQL"), "{message}");
    }
}
