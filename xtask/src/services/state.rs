//! What this clone has started, kept in a file so that the next command finds it.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::failure::{Context, Failure, Result};

/// The servers of one clone. Their data lies in `home`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) home: PathBuf,
    pub(crate) password: String,
    pub(crate) postgres: Option<Server>,
    pub(crate) redis: Option<Server>,
}

/// A server that was started. Whether it still runs is for its process and its port to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) source: Source,
    pub(crate) port: u16,
    /// The same as `port` for PostgreSQL, which speaks both on one.
    pub(crate) tls_port: u16,
    /// `None` in a container.
    pub(crate) pid: Option<u32>,
}

/// Where a server's program comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A directory of programs.
    Binaries(PathBuf),
    /// A project of `docker compose`.
    Docker(String),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Binaries(directory) => write!(f, "{}", directory.display()),
            Self::Docker(project) => write!(f, "docker compose project {project}"),
        }
    }
}

impl State {
    /// `None`: nothing was started.
    pub(crate) fn load(file: &Path) -> Result<Option<Self>> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(&text)
                .map(Some)
                .context(|| format!("{} is damaged; `cargo xtask services down` removes it", file.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::new(format!("reading {}: {error}", file.display()))),
        }
    }

    /// Replaces the file whole, readable to its owner alone: it holds the servers' password.
    pub(crate) fn save(&self, file: &Path) -> Result<()> {
        let new = file.with_extension("new");
        let write = || {
            write_private(&new, &self.to_text())?;
            fs::rename(&new, file)
        };
        write().context(|| format!("writing {}", file.display()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.postgres.is_none() && self.redis.is_none()
    }

    fn to_text(&self) -> String {
        let mut text = format!("home={}\npassword={}\n", self.home.display(), self.password);
        for (name, server) in [("postgres", &self.postgres), ("redis", &self.redis)] {
            let Some(server) = server else { continue };
            let source = match &server.source {
                Source::Binaries(directory) => format!("binaries:{}", directory.display()),
                Source::Docker(project) => format!("docker:{project}"),
            };
            text.push_str(&format!("{name}.source={source}\n{name}.port={}\n", server.port));
            text.push_str(&format!("{name}.tls_port={}\n", server.tls_port));
            if let Some(pid) = server.pid {
                text.push_str(&format!("{name}.pid={pid}\n"));
            }
        }
        text
    }

    fn parse(text: &str) -> Result<Self> {
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.split_once('=').filter(|(known, _)| *known == name))
                .map(|(_, value)| value)
        };
        let needed = |name: &str| value(name).ok_or_else(|| Failure::new(format!("no `{name}`")));
        let server = |name: &str| -> Result<Option<Server>> {
            let Some(source) = value(&format!("{name}.source")) else { return Ok(None) };
            let source = match source.split_once(':') {
                Some(("binaries", directory)) => Source::Binaries(directory.into()),
                Some(("docker", project)) => Source::Docker(project.to_owned()),
                _ => return Err(Failure::new(format!("unknown source `{source}`"))),
            };
            let number = |field: &str| {
                let name = format!("{name}.{field}");
                needed(&name)?.parse::<u16>().map_err(|_| Failure::new(format!("`{name}` is not a port")))
            };
            let pid = value(&format!("{name}.pid")).and_then(|pid| pid.parse().ok());
            Ok(Some(Server { source, port: number("port")?, tls_port: number("tls_port")?, pid }))
        };
        Ok(Self {
            home: needed("home")?.into(),
            password: needed("password")?.to_owned(),
            postgres: server("postgres")?,
            redis: server("redis")?,
        })
    }
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut opened: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    opened.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn state() -> State {
        State {
            home: "/srv/a = b/servers".into(),
            password: "0123".to_owned(),
            postgres: Some(Server {
                source: Source::Binaries("/usr/lib/postgresql/15/bin".into()),
                port: 40001,
                tls_port: 40001,
                pid: Some(77),
            }),
            redis: Some(Server {
                source: Source::Docker("scheduler-1f".to_owned()),
                port: 40002,
                tls_port: 40003,
                pid: None,
            }),
        }
    }

    #[test]
    fn what_is_saved_is_loaded_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("state");
        assert_eq!(State::load(&file).unwrap(), None);
        state().save(&file).unwrap();
        assert_eq!(State::load(&file).unwrap(), Some(state()));
    }

    #[test]
    fn others_can_not_read_the_password() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("state");
        state().save(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_named_with_the_way_out() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("state");
        for text in ["", "home=/x\npassword=1\npostgres.source=binaries:/b\npostgres.port=many\n"] {
            fs::write(&file, text).unwrap();
            let failure = State::load(&file).unwrap_err().to_string();
            assert!(failure.contains("services down"), "{failure}");
        }
    }
}
