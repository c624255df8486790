//! One process of the run, its ways to the servers, and its clock.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, SystemTime},
};

use rustix::{
    process::{Pid, Signal, kill_process},
    time::{ClockId, clock_gettime},
};

use super::{Place, proxy::Proxy};
use crate::failure::{Context, Failure, Result};

/// A process, started again whenever it was killed.
#[derive(Debug)]
pub(crate) struct Node {
    place: Place,
    number: usize,
    /// How often it was started.
    starts: u32,
    child: Option<Child>,
    /// To PostgreSQL and to Redis.
    pub(crate) ways: [Proxy; 2],
    urls: [String; 2],
    /// The library that fakes its clock, where it is installed.
    faketime: Option<PathBuf>,
}

impl Node {
    pub(crate) fn new(place: Place, number: usize) -> Result<Self> {
        let mut ways = Vec::new();
        let mut urls = Vec::new();
        for url in &place.urls {
            let (port, through) = split_port(url)?;
            let way = Proxy::open(port)?;
            urls.push(through(way.port()));
            ways.push(way);
        }
        let two = "one for each server";
        Ok(Self {
            place,
            number,
            starts: 0,
            child: None,
            ways: ways.try_into().expect(two),
            urls: urls.try_into().expect(two),
            faketime: find_faketime(),
        })
    }

    pub(crate) fn start(&mut self) -> Result<()> {
        self.starts += 1;
        let log = File::create(self.log()).context(|| format!("writing {}", self.log().display()))?;
        let errors = log.try_clone().context(|| format!("writing {}", self.log().display()))?;
        let mut command = self.place.command(&self.urls);
        command.arg("run").stdin(Stdio::null()).stdout(log).stderr(errors);
        command.env("RUST_BACKTRACE", "1");
        if let Some(library) = &self.faketime {
            command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", self.clock());
            command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        self.child = Some(command.spawn().context(|| format!("starting node {}", self.number))?);
        Ok(())
    }

    /// Sets its wall clock off by this much, from now on.
    pub(crate) fn set_clock(&self, offset_ms: i64) -> Result<()> {
        let (sign, offset) = (if offset_ms < 0 { '-' } else { '+' }, offset_ms.unsigned_abs());
        let text = format!("{sign}{}.{:03}", offset / 1_000, offset % 1_000);
        fs::write(self.clock(), text).context(|| format!("writing {}", self.clock().display()))
    }

    pub(crate) const fn has_fake_clock(&self) -> bool {
        self.faketime.is_some()
    }

    /// Whether it has ended without being asked.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(Some(_)) | Err(_)))
    }

    pub(crate) fn has_started(&self) -> bool {
        self.instance().is_some()
    }

    pub(crate) const fn runs(&self) -> bool {
        self.child.is_some()
    }

    /// Kills it, and notes which instance that was and when.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let _ = child.kill();
        let _ = child.wait();
        self.note_end()
    }

    /// Notes the end of a process that was not asked to stop.
    pub(crate) fn note_end(&mut self) -> Result<()> {
        self.child = None;
        let Some(instance) = self.instance() else { return Ok(()) };
        let millis = uptime().as_millis();
        let path = self.place.killed();
        let note = || writeln!(OpenOptions::new().create(true).append(true).open(&path)?, "{instance} {millis}");
        note().context(|| format!("writing {}", path.display()))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.as_ref().and_then(|child| Pid::from_raw(i32::try_from(child.id()).ok()?));
        if let Some(pid) = pid {
            // It may have ended by itself in between.
            let _ = kill_process(pid, signal);
        }
    }

    /// Takes it for gone, as it has ended when it was asked to.
    pub(crate) fn forget(&mut self) {
        self.child = None;
    }

    /// The instance that the last start said it is.
    fn instance(&self) -> Option<String> {
        let log = fs::read_to_string(self.log()).ok()?;
        log.lines().find_map(|line| line.strip_prefix("started ")).map(str::to_owned)
    }

    fn log(&self) -> PathBuf {
        self.place.directory.join(format!("node-{}-{:03}.log", self.number, self.starts))
    }

    fn clock(&self) -> PathBuf {
        self.place.directory.join(format!("clock-{}", self.number))
    }
}

/// The port of a URL, and the URL with another one.
fn split_port(url: &str) -> Result<(u16, impl Fn(u16) -> String)> {
    let without = |what: &str| Failure::new(format!("a server's URL has no {what}"));
    let (head, tail) = url.rsplit_once(':').ok_or_else(|| without("port"))?;
    let (port, path) = tail.split_once('/').ok_or_else(|| without("path"))?;
    let (head, path) = (head.to_owned(), path.to_owned());
    let port = port.parse().context(|| "a URL whose port is no number".to_owned())?;
    Ok((port, move |port| format!("{head}:{port}/{path}")))
}

/// The machine's boot-time clock, which nobody steps, and which the nodes' own notes are by.
pub(crate) fn uptime() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}

/// Seconds since the epoch.
pub(crate) fn now_seconds() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

fn find_faketime() -> Option<PathBuf> {
    let libraries = fs::read_dir("/usr/lib").ok()?.flatten();
    libraries.map(|entry| entry.path().join("faketime/libfaketime.so.1")).find(|path| Path::exists(path))
}
