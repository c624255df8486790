//! A private Redis server.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    account::{self, Account, give},
    install, ping, port, process,
    state::{Server, Source, write_private},
    tls::Certificates,
};
use crate::failure::{Context, Failure, Result};

/// What a start needs to know.
#[derive(Debug)]
pub(crate) struct Redis<'a> {
    pub(crate) home: &'a Path,
    pub(crate) password: &'a str,
    pub(crate) account: Option<&'a Account>,
}

pub(crate) fn url(port: u16, password: &str) -> String {
    format!("redis://:{password}@127.0.0.1:{port}/0")
}

pub(crate) fn tls_url(port: u16, password: &str) -> String {
    format!("rediss://:{password}@127.0.0.1:{port}/0")
}

impl Redis<'_> {
    pub(crate) fn start(&self, programs: &Path, tls: &Certificates, last: Option<&Server>) -> Result<Server> {
        if let Some(last) = last {
            self.stop(last);
        }
        let program = install::redis_program(programs)
            .ok_or_else(|| Failure::new(format!("no redis-server in {}", programs.display())))?;
        // Another program may take one of the ports first.
        const ATTEMPTS: u32 = 3;
        let mut attempt = 1;
        loop {
            let port = port::free(last.map(|server| server.port))?;
            let tls_port = port::free(last.map(|server| server.tls_port))?;
            self.configure(tls, port, tls_port)?;
            let mut start = account::command(self.account, &program);
            start.arg(self.configuration());
            // It goes to the background by itself; what it says before is a mistake in the configuration.
            let started = process::output(&mut start).and_then(|_| self.wait(port));
            match started {
                Ok(pid) => {
                    let source = Source::Binaries(programs.to_path_buf());
                    return Ok(Server { source, port, tls_port, pid: Some(pid) });
                }
                Err(failure) if attempt == ATTEMPTS => {
                    return Err(failure).context(|| format!("starting Redis (log: {})", process::tail(&self.log())));
                }
                Err(_) => attempt += 1,
            }
        }
    }

    /// A server that takes the password is this one: nobody else knows it.
    pub(crate) fn answers(&self, server: &Server) -> bool {
        ping::redis(&url(server.port, self.password)).is_ok()
    }

    /// Ends the server, whatever state it is in.
    pub(crate) fn stop(&self, server: &Server) {
        let running = || server.pid.is_some_and(is_redis);
        let asked = ping::redis_shutdown(server.port, self.password).is_ok();
        if asked && process::wait_until(Duration::from_secs(5), || !running()) {
            return;
        }
        if let Some(pid) = server.pid {
            // Its command line shows the port it listens on; another clone's Redis shows another.
            process::kill(pid, &format!("127.0.0.1:{}", server.port));
            process::wait_until(Duration::from_secs(5), || !running());
        }
    }

    fn wait(&self, port: u16) -> Result<u32> {
        let pid = || fs::read_to_string(self.pid_file()).ok()?.trim().parse().ok();
        let mut last = Ok(());
        process::wait_until(Duration::from_secs(10), || {
            last = ping::redis(&url(port, self.password));
            last.is_ok()
        });
        last?;
        pid().ok_or_else(|| Failure::new(format!("no number in {}", self.pid_file().display())))
    }

    /// Nothing is written to disk: locks don't outlive their server, and what they protect does not rest on them.
    fn configure(&self, tls: &Certificates, port: u16, tls_port: u16) -> Result<()> {
        let quoted =
            |path: PathBuf| format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""));
        let settings = format!(
            "bind 127.0.0.1\nport {port}\ntls-port {tls_port}\nrequirepass {password}\n\
             tls-cert-file {certificate}\ntls-key-file {key}\ntls-ca-cert-file {authority}\ntls-auth-clients no\n\
             daemonize yes\npidfile {pid_file}\nlogfile {log}\ndir {home}\nsave \"\"\nappendonly no\n",
            password = self.password,
            certificate = quoted(tls.certificate()),
            key = quoted(tls.key()),
            authority = quoted(tls.authority()),
            pid_file = quoted(self.pid_file()),
            log = quoted(self.log()),
            home = quoted(self.home.to_path_buf()),
        );
        let target = self.configuration();
        write_private(&target, &settings).context(|| format!("writing {}", target.display()))?;
        give(self.account, &target)
    }

    fn configuration(&self) -> PathBuf {
        self.home.join("redis.conf")
    }

    fn pid_file(&self) -> PathBuf {
        self.home.join("redis.pid")
    }

    fn log(&self) -> PathBuf {
        self.home.join("redis.log")
    }
}

fn is_redis(pid: u32) -> bool {
    install::REDIS_NAMES.iter().any(|name| process::runs(pid, name))
}
