//! A private PostgreSQL server.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{
    account::{self, Account, give},
    home, ping, port, process,
    state::{Server, Source, write_private},
    tls::Certificates,
};
use crate::failure::{Context, Result};

/// The user of the private server: its owner, so that tests may make databases and roles.
pub(crate) const USER: &str = "scheduler";

/// Three services and a test runner with full pools each stay well below.
const MAX_CONNECTIONS: u32 = 300;

/// What counts statements, for benchmarks; Debian has it in the server's package.
const COUNTER: &str = "pg_stat_statements";

/// What a start needs to know.
#[derive(Debug)]
pub(crate) struct Postgres<'a> {
    pub(crate) home: &'a Path,
    pub(crate) password: &'a str,
    pub(crate) account: Option<&'a Account>,
}

pub(crate) fn url(port: u16, password: &str) -> String {
    format!("postgres://{USER}:{password}@127.0.0.1:{port}/postgres")
}

impl Postgres<'_> {
    /// Starts a server, on the data that an earlier one left if it can still be used.
    pub(crate) fn start(&self, programs: &Path, tls: &Certificates, last: Option<&Server>) -> Result<Server> {
        self.stop(programs);
        let last_port = last.map(|server| server.port);
        if self.data().join("PG_VERSION").exists() {
            if let Ok(server) = self.launch(programs, tls, last_port) {
                return Ok(server);
            }
            eprintln!("PostgreSQL does not start on the data it left: starting from nothing");
            self.stop(programs);
            home::remove(&self.data())?;
        }
        self.initialize(programs)?;
        self.launch(programs, tls, last_port)
    }

    pub(crate) fn answers(&self, server: &Server) -> bool {
        self.pid().is_some_and(|pid| server.pid == Some(pid))
            && ping::postgres(&url(server.port, self.password)).is_ok()
    }

    /// Ends the server if one runs on this data, whatever state it is in.
    pub(crate) fn stop(&self, programs: &Path) {
        if let Some(pid) = self.pid() {
            let mut stop = self.pg_ctl(programs, "stop");
            stop.args(["-m", "immediate", "-t", "10"]);
            // It may hang, or the programs may be gone since.
            if process::output(&mut stop).is_err() {
                process::kill(pid, &self.marker());
                process::wait_until(Duration::from_secs(5), || self.pid().is_none());
            }
        }
        // One that died leaves its file, and the next one refuses to start while that process waits to be collected.
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
    }

    /// The server's process, if it runs on this data.
    fn pid(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let pid = file.lines().next()?.trim().parse().ok()?;
        process::runs(pid, &self.marker()).then_some(pid)
    }

    fn initialize(&self, programs: &Path) -> Result<()> {
        let password_file = self.home.join("password");
        write_private(&password_file, self.password).context(|| format!("writing {}", password_file.display()))?;
        give(self.account, &password_file)?;
        let mut initdb = account::command(self.account, &programs.join("initdb"));
        initdb.arg("-D").arg(self.data()).args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]);
        initdb.arg("--no-sync").arg("--pwfile").arg(&password_file);
        let made = process::output(&mut initdb);
        fs::remove_file(&password_file).context(|| format!("removing {}", password_file.display()))?;
        made.map(drop)
    }

    fn launch(&self, programs: &Path, tls: &Certificates, last_port: Option<u16>) -> Result<Server> {
        // Another program may take the port first, and helpers of a killed server hold its memory for a moment.
        const ATTEMPTS: u32 = 5;
        let mut attempt = 1;
        loop {
            let port = port::free(last_port)?;
            self.configure(programs, tls, port)?;
            let mut start = self.pg_ctl(programs, "start");
            start.args(["-w", "-t", "60", "-l"]).arg(self.log());
            let started = process::output(&mut start).and_then(|_| ping::postgres(&url(port, self.password)));
            match (started, self.pid()) {
                (Ok(()), Some(pid)) => {
                    let source = Source::Binaries(programs.to_path_buf());
                    return Ok(Server { source, port, tls_port: port, pid: Some(pid) });
                }
                (started, _) if attempt == ATTEMPTS => {
                    let why =
                        started.map(|()| "it ended at once".to_owned()).unwrap_or_else(|failure| failure.to_string());
                    return Err(why).context(|| format!("starting PostgreSQL (log: {})", process::tail(&self.log())));
                }
                _ => attempt += 1,
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// What is not here has PostgreSQL's own default: commits wait for the disk, as they do in production.
    fn configure(&self, programs: &Path, tls: &Certificates, port: u16) -> Result<()> {
        let file = |path: PathBuf| path.display().to_string().replace('\'', "''");
        // A library that is not there would keep the server from starting.
        let preloaded = if has_library(programs, COUNTER) { COUNTER } else { "" };
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n\
             max_connections = {MAX_CONNECTIONS}\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n\
             shared_preload_libraries = '{preloaded}'\n\
             ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n",
            file(tls.certificate()),
            file(tls.key()),
        );
        let target = self.data().join("postgresql.conf");
        fs::write(&target, settings).context(|| format!("writing {}", target.display()))
    }

    fn pg_ctl(&self, programs: &Path, action: &str) -> Command {
        let mut command = account::command(self.account, &programs.join("pg_ctl"));
        command.arg(action).arg("-D").arg(self.data());
        command
    }

    fn data(&self) -> PathBuf {
        self.home.join("postgres")
    }

    fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    /// The data directory is on the server's command line, and nobody else's.
    fn marker(&self) -> String {
        self.data().display().to_string()
    }
}

/// Whether the server of these programs, which may be links to it, has a library, in any of the usual layouts.
fn has_library(programs: &Path, library: &str) -> bool {
    const FOLDERS: [&str; 4] = ["../lib", "../lib/postgresql", "../lib64/postgresql", "../lib64/pgsql"];
    let server = fs::canonicalize(programs.join("postgres")).unwrap_or_default();
    let beside = server.parent().unwrap_or(programs);
    FOLDERS.iter().any(|folder| {
        let file = beside.join(folder).join(library);
        ["so", "dylib"].iter().any(|ending| file.with_extension(ending).is_file())
    })
}
