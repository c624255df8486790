//! Keys on Redis.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use redis::{Pipeline, Value};
use scheduler_core::{
    identity::{FencingToken, JobId},
    lock::{AcquireRequest, Acquired, CURSOR_LIFE, LockBackend, LockError, LockLease, LockMode},
};
use tracing::warn;

use crate::{
    config::{self, ConfigError},
    connection::Connection,
    script::TripScript,
};

/// The namespace unless another is given.
const DEFAULT_NAMESPACE: &str = "scheduler";

/// Keys on a Redis server.
#[derive(Debug)]
pub struct RedisLocks {
    connection: Connection,
    namespace: String,
    scripts: Arc<Scripts>,
}

#[derive(Debug)]
struct Scripts {
    acquire: TripScript,
    renew: TripScript,
    release: TripScript,
}

impl RedisLocks {
    /// The server at a URL, which must answer: `redis://[[user]:password@]host[:port][/database]`, or `rediss://…` for
    /// TLS, with `?sslrootcert=/path/to/ca.pem` where its authority is not one of the machine's.
    ///
    /// The connection that asks is closed again; the engine makes its own, on its own runtime (R25).
    ///
    /// # Errors
    /// When the URL can't be used, the server does not answer within 2 s, or it refuses the user.
    pub async fn connect(url: &str) -> Result<Self, LockError> {
        let locks = Self::connect_lazy(url)
            .map_err(|error| LockError::Rejected { operation: "read its URL", source: error.into() })?;
        locks.check().await?;
        Ok(Self { connection: locks.connection.another(), ..locks })
    }

    /// The server at a URL, which is not asked yet.
    ///
    /// # Errors
    /// When the URL can't be used.
    pub fn connect_lazy(url: &str) -> Result<Self, ConfigError> {
        let (client, address) = config::read(url)?;
        let scripts =
            Scripts { acquire: TripScript::acquire(), renew: TripScript::renew(), release: TripScript::release() };
        Ok(Self {
            connection: Connection::new(client, address),
            namespace: DEFAULT_NAMESPACE.to_owned(),
            scripts: Arc::new(scripts),
        })
    }

    /// The same server under another prefix of its keys, for a service of its own; `scheduler` unless given.
    ///
    /// # Errors
    /// When the namespace is empty, longer than 100 characters, or has others than `a-z A-Z 0-9 . _ - :`.
    pub fn with_namespace(self, namespace: &str) -> Result<Self, ConfigError> {
        config::check_namespace(namespace)?;
        Ok(Self { namespace: namespace.to_owned(), ..self })
    }

    fn key(&self, job_id: &JobId) -> String {
        format!("{}:{job_id}", self.namespace)
    }
}

#[async_trait]
impl LockBackend for RedisLocks {
    fn attach(&self) -> Arc<dyn LockBackend> {
        Arc::new(Self {
            connection: self.connection.another(),
            namespace: self.namespace.clone(),
            scripts: Arc::clone(&self.scripts),
        })
    }

    async fn check(&self) -> Result<(), LockError> {
        let mut commands = redis::pipe();
        commands.cmd("PING").ignore().cmd("INFO").arg("memory");
        let (memory,): (String,) = self.connection.trip("ask whether it answers", &commands).await?;
        let policy = memory.lines().find_map(|line| line.strip_prefix("maxmemory_policy:")).map(str::trim);
        if let Some(policy) = policy.filter(|policy| *policy != "noeviction") {
            warn!(
                policy,
                "Redis may evict keys under its `maxmemory-policy`: where the store is not shared, an occurrence could then run twice; set it to `noeviction`"
            );
        }
        Ok(())
    }

    async fn acquire(&self, requests: &[AcquireRequest]) -> Result<Vec<Acquired>, LockError> {
        /// What is asked, for messages.
        const OPERATION: &str = "acquire keys";
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let mut commands = Pipeline::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            let (mode, exclusive, ttl) = match request.mode {
                LockMode::Lease { ttl, exclusive } => ("lease", exclusive, ttl),
                _ => ("filter", false, Duration::ZERO),
            };
            let mut command = self.scripts.acquire.call(&self.key(&request.job_id), index == 0);
            command.arg(request.owner.to_string()).arg(mode).arg(u8::from(exclusive)).arg(millis(ttl));
            match request.occurrence {
                None => command.arg("").arg(0),
                Some(occurrence) => command
                    .arg(occurrence.scheduled_at.timestamp_millis())
                    .arg(occurrence.not_before.timestamp_millis()),
            };
            command.arg(millis(CURSOR_LIFE));
            commands.add_command(command);
        }
        let answers: Vec<Vec<Value>> = self.connection.trip(OPERATION, &commands).await?;
        requests.iter().zip(answers).map(|(request, answer)| read(OPERATION, request, &answer)).collect()
    }

    async fn cursor(&self, job_id: &JobId) -> Result<Option<DateTime<Utc>>, LockError> {
        let mut commands = redis::pipe();
        commands.cmd("HMGET").arg(self.key(job_id)).arg(&["cursor", "moved_at"]).cmd("TIME");
        let ((cursor, moved_at), (seconds, micros)): ((Option<i64>, Option<i64>), (i64, i64)) =
            self.connection.trip("read a cursor", &commands).await?;
        let now = seconds * 1_000 + micros / 1_000;
        let lives = moved_at.is_some_and(|moved_at| now < moved_at + millis(CURSOR_LIFE));
        Ok(cursor.filter(|_| lives).and_then(DateTime::from_timestamp_millis))
    }

    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<bool, LockError> {
        if !lease.exclusive {
            return Ok(true);
        }
        let mut command = self.scripts.renew.call(&self.key(&lease.job_id), true);
        command.arg(lease.owner.to_string()).arg(lease.fence.0).arg(millis(ttl)).arg(millis(CURSOR_LIFE));
        let mut commands = redis::pipe();
        commands.add_command(command);
        let (renewed,): (bool,) = self.connection.trip("renew a lease", &commands).await?;
        Ok(renewed)
    }

    async fn release(&self, lease: &LockLease) -> Result<bool, LockError> {
        if !lease.exclusive {
            return Ok(true);
        }
        let mut command = self.scripts.release.call(&self.key(&lease.job_id), true);
        command.arg(lease.owner.to_string()).arg(lease.fence.0);
        let mut commands = redis::pipe();
        commands.add_command(command);
        let (released,): (bool,) = self.connection.trip("release a lease", &commands).await?;
        Ok(released)
    }
}

/// The script's answer: a word, and a number where it has one.
fn read(operation: &'static str, request: &AcquireRequest, answer: &[Value]) -> Result<Acquired, LockError> {
    let unexpected = || LockError::Rejected { operation, source: format!("unexpected answer {answer:?}").into() };
    let word: String = answer.first().and_then(|word| redis::from_redis_value_ref(word).ok()).ok_or_else(unexpected)?;
    let number = || answer.get(1).and_then(|number| redis::from_redis_value_ref::<i64>(number).ok());
    Ok(match (word.as_str(), request.mode) {
        ("granted", LockMode::Lease { exclusive, .. }) => Acquired::Granted(Some(LockLease {
            job_id: request.job_id.clone(),
            owner: request.owner,
            fence: FencingToken(number().ok_or_else(unexpected)?),
            exclusive,
        })),
        ("granted", _) => Acquired::Granted(None),
        ("not_due", _) => {
            let remaining = number().and_then(|millis| u64::try_from(millis).ok()).ok_or_else(unexpected)?;
            Acquired::NotDue { remaining: Duration::from_millis(remaining) }
        }
        ("already_claimed", _) => Acquired::AlreadyClaimed,
        ("held", _) => Acquired::Held,
        _ => return Err(unexpected()),
    })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
