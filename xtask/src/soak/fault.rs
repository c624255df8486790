//! What goes wrong in a run, and how it is undone.

use std::{process::Stdio, time::Duration};

use rustix::process::Signal;

use super::{
    LEASE, Place,
    chance::Chance,
    node::Node,
    node::{now_seconds, uptime},
};
use crate::{
    failure::{Context, Failure, Result},
    services::Services,
};

/// Something that goes wrong; a number names the process that it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Kill(usize),
    KillAll,
    /// SIGSTOP for longer than a lease.
    Freeze(usize),
    /// SIGTERM, as a rolling restart does it.
    Restart(usize),
    RedisCrash,
    RedisFlush,
    /// An operator deletes the keys.
    RedisDelete,
    /// An operator makes the keys another type.
    RedisSpoil,
    PostgresCrash,
    /// Every backend is terminated.
    PostgresBackends,
    Cut(usize, Server),
    /// Nothing goes through for longer than a lease.
    Partition(usize, Server),
    Delay(usize, Server),
    /// The request goes through, the reply does not.
    LostReplies(usize, Server),
    Clock(usize),
}

/// One of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Postgres = 0,
    Redis = 1,
}

impl Fault {
    /// A fault by chance; those that take everything down come seldom.
    pub(crate) fn draw(chance: &mut Chance, nodes: usize) -> Self {
        let node = usize::try_from(chance.below(nodes as u64)).expect("a few nodes");
        let server = chance.pick(&[Server::Postgres, Server::Postgres, Server::Redis]);
        match chance.below(100) {
            0..12 => Self::Kill(node),
            12..14 => Self::KillAll,
            14..22 => Self::Freeze(node),
            22..30 => Self::Restart(node),
            30..35 => Self::RedisCrash,
            35..41 => Self::RedisFlush,
            41..45 => Self::RedisDelete,
            45..49 => Self::RedisSpoil,
            49..53 => Self::PostgresCrash,
            53..60 => Self::PostgresBackends,
            60..70 => Self::Cut(node, server),
            70..76 => Self::Partition(node, server),
            76..84 => Self::Delay(node, server),
            84..92 => Self::LostReplies(node, server),
            _ => Self::Clock(node),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kill(_) => "kill",
            Self::KillAll => "kill_all",
            Self::Freeze(_) => "freeze",
            Self::Restart(_) => "restart",
            Self::RedisCrash => "redis_crash",
            Self::RedisFlush => "redis_flush",
            Self::RedisDelete => "redis_delete",
            Self::RedisSpoil => "redis_spoil",
            Self::PostgresCrash => "postgres_crash",
            Self::PostgresBackends => "postgres_backends",
            Self::Cut(..) => "cut",
            Self::Partition(..) => "partition",
            Self::Delay(..) => "delay",
            Self::LostReplies(..) => "lost_replies",
            Self::Clock(_) => "clock",
        }
    }
}

/// What undoes a fault.
#[derive(Debug, Clone, Copy)]
enum Undo {
    Start(usize),
    Thaw(usize),
    Mend(usize, Server),
}

/// The processes and servers of a run.
#[derive(Debug)]
pub(crate) struct Theatre<'a> {
    services: &'a Services,
    place: Place,
    nodes: Vec<Node>,
    undo: Vec<(Duration, Undo)>,
    unexpected_ends: u32,
}

impl<'a> Theatre<'a> {
    pub(crate) fn open(services: &'a Services, place: Place, nodes: usize) -> Result<Self> {
        let nodes = (0..nodes).map(|number| Node::new(place.clone(), number)).collect::<Result<Vec<_>>>()?;
        let mut theatre = Self { services, place, nodes, undo: Vec::new(), unexpected_ends: 0 };
        for node in &mut theatre.nodes {
            if !node.has_fake_clock() {
                eprintln!("warning: libfaketime is not installed: no clock of this run is wrong");
            }
            node.set_clock(0)?;
            node.start()?;
        }
        Ok(theatre)
    }

    /// Waits until every process has started; answers when that was, in seconds since the epoch.
    pub(crate) fn wait_for_all(&mut self) -> Result<i64> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let nodes = &self.nodes;
        if crate::services::wait_until(PATIENCE, || nodes.iter().all(Node::has_started)) {
            Ok(now_seconds())
        } else {
            Err(Failure::new("not every process has started within a minute: see target/soak/node-*.log"))
        }
    }

    pub(crate) const fn unexpected_ends(&self) -> u32 {
        self.unexpected_ends
    }

    /// Lets time go by, undoing what is due, and starting again what ended by itself.
    pub(crate) fn pass(&mut self, time: Duration) -> Result<()> {
        const STEP: Duration = Duration::from_millis(100);
        let end = uptime() + time;
        loop {
            self.undo_due()?;
            for number in 0..self.nodes.len() {
                if self.nodes[number].has_ended() {
                    // One whose backend was away at its start ends, as a service would, and is started again.
                    self.unexpected_ends += u32::from(self.nodes[number].has_started());
                    self.nodes[number].note_end()?;
                    self.later(Duration::from_millis(500), Undo::Start(number));
                }
            }
            let Some(left) = end.checked_sub(uptime()).filter(|left| !left.is_zero()) else {
                return Ok(());
            };
            std::thread::sleep(left.min(STEP));
        }
    }

    pub(crate) fn meet(&mut self, fault: Fault, chance: &mut Chance) -> Result<()> {
        let some_time = Duration::from_millis(chance.between(200, 4_000));
        let longer_than_a_lease = LEASE + Duration::from_millis(chance.between(500, 5_000));
        match fault {
            Fault::Kill(node) => self.kill(node, some_time)?,
            Fault::KillAll => {
                for node in 0..self.nodes.len() {
                    self.kill(node, some_time)?;
                }
            }
            Fault::Freeze(node) => {
                self.nodes[node].signal(Signal::STOP);
                self.later(longer_than_a_lease, Undo::Thaw(node));
            }
            Fault::Restart(node) => {
                if self.nodes[node].runs() && !self.is_frozen(node) {
                    self.stop(node)?;
                    self.later(Duration::from_millis(100), Undo::Start(node));
                }
            }
            Fault::RedisCrash => {
                self.services.crash_redis()?;
                std::thread::sleep(some_time / 4);
                self.services.up().map(drop)?;
            }
            Fault::PostgresCrash => {
                self.services.crash_postgres()?;
                std::thread::sleep(some_time / 4);
                self.services.up().map(drop)?;
            }
            Fault::RedisFlush => self.operate("flush")?,
            Fault::RedisDelete => self.operate("delete")?,
            Fault::RedisSpoil => self.operate("spoil")?,
            Fault::PostgresBackends => self.operate("backends")?,
            Fault::Cut(node, server) => self.nodes[node].ways[server as usize].cut(),
            Fault::Partition(node, server) => {
                self.nodes[node].ways[server as usize].hold();
                self.later(longer_than_a_lease, Undo::Mend(node, server));
            }
            Fault::Delay(node, server) => {
                self.nodes[node].ways[server as usize].delay(Duration::from_millis(chance.between(20, 400)));
                self.later(some_time, Undo::Mend(node, server));
            }
            Fault::LostReplies(node, server) => {
                self.nodes[node].ways[server as usize].lose_one_in(chance.between(2, 30));
                self.later(some_time, Undo::Mend(node, server));
            }
            Fault::Clock(node) => {
                let offset = chance.pick(&[-20_000, -5_000, -500, 0, 500, 5_000, 20_000]);
                self.nodes[node].set_clock(offset)?;
            }
        }
        Ok(())
    }

    /// Undoes everything.
    pub(crate) fn mend(&mut self) -> Result<()> {
        for (at, _) in &mut self.undo {
            *at = uptime();
        }
        for node in &self.nodes {
            node.set_clock(0)?;
        }
        self.undo_due()
    }

    /// Stops every process calmly; one that does not stop is a failure.
    pub(crate) fn stop_all(&mut self) -> Result<()> {
        for node in 0..self.nodes.len() {
            if !self.stop(node)? {
                return Err(Failure::new(
                    "a process did not stop within 40 s of being asked: see target/soak/node-*.log",
                ));
            }
        }
        Ok(())
    }

    /// Asks a process to stop, and waits for that while other faults are undone in their time, as a process that was cut off
    /// would have nowhere to write its outcomes otherwise; one that does not stop is killed. Whether it stopped calmly.
    fn stop(&mut self, node: usize) -> Result<bool> {
        const PATIENCE: Duration = Duration::from_secs(40);
        const STEP: Duration = Duration::from_millis(50);
        self.nodes[node].signal(Signal::TERM);
        let end = uptime() + PATIENCE;
        while self.nodes[node].runs() && !self.nodes[node].has_ended() {
            if uptime() > end {
                self.nodes[node].kill()?;
                return Ok(false);
            }
            self.undo_due()?;
            std::thread::sleep(STEP);
        }
        self.nodes[node].forget();
        Ok(true)
    }

    fn kill(&mut self, node: usize, back_after: Duration) -> Result<()> {
        if self.nodes[node].runs() {
            self.nodes[node].kill()?;
            self.undo.retain(|(_, undo)| !matches!(undo, Undo::Thaw(frozen) if *frozen == node));
            self.later(back_after, Undo::Start(node));
        }
        Ok(())
    }

    fn is_frozen(&self, node: usize) -> bool {
        self.undo.iter().any(|(_, undo)| matches!(undo, Undo::Thaw(frozen) if *frozen == node))
    }

    fn later(&mut self, after: Duration, undo: Undo) {
        self.undo.push((uptime() + after, undo));
    }

    fn undo_due(&mut self) -> Result<()> {
        let now = uptime();
        let due: Vec<Undo> = self.undo.extract_if(.., |(at, _)| *at <= now).map(|(_, undo)| undo).collect();
        for undo in due {
            match undo {
                Undo::Start(node) if self.nodes[node].runs() => {}
                Undo::Start(node) => self.nodes[node].start()?,
                Undo::Thaw(node) => self.nodes[node].signal(Signal::CONT),
                Undo::Mend(node, server) => self.nodes[node].ways[server as usize].mend(),
            }
        }
        Ok(())
    }

    /// Disturbs a server from outside, as an operator does; one that is away just then is left alone.
    fn operate(&self, what: &str) -> Result<()> {
        let mut command = self.place.command(&self.place.urls);
        command.args(["disturb", what]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().map(drop).context(|| format!("disturbing: {what}"))
    }
}
