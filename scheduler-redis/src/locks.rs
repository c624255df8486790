//! The lock backend's handle.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use redis::{Pipeline, Value};
use scheduler_core::{
    identity::JobId,
    lock::{AcquireRequest, Acquired, LockBackend, LockError, LockLease},
};
use tracing::{debug, warn};

use crate::{
    RedisConfig, RedisError, acquire,
    gather::Gathering,
    link::Link,
    script::{Argument, Call, Script},
};

/// The namespace unless told otherwise.
const NAMESPACE: &str = "scheduler";

/// The longest namespace, in bytes.
const LONGEST_NAMESPACE: usize = 64;

/// What is asked of the server, for messages, where it is only to be there.
const CONNECT: &str = "connect";

/// The lock backend on Redis.
///
/// Clones share one connection, which belongs to the runtime of its first user. [`LockBackend::attach`] gives a handle
/// with a connection of its own.
#[derive(Debug, Clone)]
pub struct RedisLocks {
    namespace: Arc<str>,
    gathering: Gathering,
}

impl RedisLocks {
    /// Connects, has the server answer, and lets the connection go. The URL is read by [`RedisConfig::parse`].
    ///
    /// # Errors
    /// Its source, a [`RedisError`], says what is wrong and what to do.
    pub async fn connect(url: &str) -> Result<Self, LockError> {
        let locks = Self::connect_lazy(url).map_err(|error| error.locks(CONNECT))?;
        locks.probe().await?;
        Ok(locks)
    }

    /// The backend, without asking whether anybody answers; the first call connects.
    ///
    /// # Errors
    /// When the URL can't be used.
    pub fn connect_lazy(url: &str) -> Result<Self, RedisError> {
        Ok(Self::new(RedisConfig::parse(url)?))
    }

    /// The backend at a place that was read before; as [`RedisLocks::connect_lazy`].
    #[must_use]
    pub fn new(config: RedisConfig) -> Self {
        Self { namespace: NAMESPACE.into(), gathering: Gathering::new(Link::new(Arc::new(config))) }
    }

    /// The same server with keys of this namespace (`scheduler` unless told otherwise): by namespace, several services
    /// share a server.
    ///
    /// # Errors
    /// [`RedisError::Namespace`] unless it is 1 to 64 of `a-z`, `A-Z`, `0-9`, `.`, `_`, `:` and `-`.
    pub fn with_namespace(self, namespace: &str) -> Result<Self, RedisError> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
        if namespace.is_empty() || namespace.len() > LONGEST_NAMESPACE || !namespace.bytes().all(is_allowed) {
            return Err(RedisError::Namespace { name: namespace.chars().take(LONGEST_NAMESPACE).collect() });
        }
        Ok(Self { namespace: namespace.into(), ..self })
    }

    /// What its keys start with, before a `:`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Where the server is.
    #[must_use]
    pub fn config(&self) -> &RedisConfig {
        self.link().config()
    }

    /// Makes a connection, has the server answer, and closes it.
    ///
    /// # Errors
    /// As [`RedisLocks::connect`].
    pub async fn probe(&self) -> Result<(), LockError> {
        self.link().probe().await.map_err(|error| error.locks(CONNECT))
    }

    fn key(&self, job_id: &JobId) -> String {
        format!("{}:{job_id}", self.namespace)
    }

    fn link(&self) -> &Link {
        self.gathering.link()
    }

    /// Runs a script on a lease's key; whether the lease was still its owner's.
    async fn run_on(&self, script: Script, lease: &LockLease, ttl: Option<Duration>) -> Result<bool, RedisError> {
        let mut arguments = vec![Argument::Text(lease.owner.to_string()), Argument::Number(lease.fence.0)];
        arguments.extend(ttl.map(acquire::micros));
        let answers = self.gathering.ask(script, vec![Call { key: self.key(&lease.job_id), arguments }]).await?;
        match answers[..] {
            [Value::Int(0)] => Ok(false),
            [Value::Int(1)] => Ok(true),
            _ => Err(self.link().unexpected("a script", &answers)),
        }
    }

    async fn ask_acquire(&self, requests: &[AcquireRequest]) -> Result<Vec<Acquired>, RedisError> {
        let calls = requests.iter().map(|request| acquire::call(self.key(&request.job_id), request)).collect();
        let answers = self.gathering.ask(Script::Acquire, calls).await?;
        if answers.len() != requests.len() {
            return Err(self.link().unexpected("a batch", &answers));
        }
        requests.iter().zip(&answers).map(|(request, value)| acquire::answer(request, value, self.link())).collect()
    }

    async fn ask_cursor(&self, job_id: &JobId) -> Result<Option<DateTime<Utc>>, RedisError> {
        let mut pipeline = Pipeline::with_capacity(1);
        pipeline.cmd("HGET").arg(self.key(job_id)).arg("cursor");
        let answer = self.ask(&pipeline).await?.pop();
        let Some(Ok(micros)) = answer.clone().map(redis::from_redis_value::<Option<i64>>) else {
            return Err(self.link().unexpected("the cursor", &answer));
        };
        micros
            .map(|micros| {
                DateTime::from_timestamp_micros(micros).ok_or_else(|| self.link().unexpected("the cursor", &micros))
            })
            .transpose()
    }

    /// The answers to commands; the first refusal is the error.
    async fn ask(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let answers = self.link().line().await?.send(pipeline).await?;
        answers.into_iter().map(|answer| answer.extract_error().map_err(|error| self.link().explain(error))).collect()
    }

    /// Has the server answer, and run a script that finds nothing: a user without permission is told now.
    async fn ask_check(&self) -> Result<(), RedisError> {
        let arguments = vec![Argument::Word(""), Argument::Word("")];
        let nobody = Call { key: format!("{}:", self.namespace), arguments };
        self.gathering.ask(Script::Release, vec![nobody]).await.map(drop)
    }

    /// Says so where the server evicts keys when its memory is full: every key here has a life, so all policies but
    /// `noeviction` may take it.
    async fn warn_of_eviction(&self) {
        let mut pipeline = Pipeline::with_capacity(1);
        // Hosted servers seldom let a client read their configuration by `CONFIG`.
        pipeline.cmd("INFO").arg("memory");
        let memory = match self.ask(&pipeline).await {
            Ok(mut answers) => answers.pop().and_then(|answer| redis::from_redis_value::<String>(answer).ok()),
            Err(error) => {
                debug!(%error, "the server does not tell its `maxmemory-policy`, so nothing is known of evictions");
                return;
            }
        };
        let memory = memory.unwrap_or_default();
        let policy = memory.lines().find_map(|line| line.strip_prefix("maxmemory_policy:"));
        if let Some(policy) = policy.filter(|policy| *policy != "noeviction") {
            warn!(
                server = self.config().server(),
                policy,
                "Redis may evict the scheduler's keys when its memory is full: without a shared store, an occurrence \
                 could then run twice; set `maxmemory-policy noeviction`"
            );
        }
    }
}

#[async_trait]
impl LockBackend for RedisLocks {
    fn attach(&self) -> Arc<dyn LockBackend> {
        let link = Link::new(Arc::clone(self.link().config()));
        Arc::new(Self { gathering: Gathering::new(link), namespace: Arc::clone(&self.namespace) })
    }

    async fn check(&self) -> Result<(), LockError> {
        self.ask_check().await.map_err(|error| error.locks("check it"))?;
        self.warn_of_eviction().await;
        Ok(())
    }

    async fn acquire(&self, requests: &[AcquireRequest]) -> Result<Vec<Acquired>, LockError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        self.ask_acquire(requests).await.map_err(|error| error.locks("acquire keys"))
    }

    async fn cursor(&self, job_id: &JobId) -> Result<Option<DateTime<Utc>>, LockError> {
        self.ask_cursor(job_id).await.map_err(|error| error.locks("read a cursor"))
    }

    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<bool, LockError> {
        if !lease.exclusive {
            return Ok(true);
        }
        self.run_on(Script::Renew, lease, Some(ttl)).await.map_err(|error| error.locks("renew a lease"))
    }

    async fn release(&self, lease: &LockLease) -> Result<bool, LockError> {
        if !lease.exclusive {
            return Ok(true);
        }
        self.run_on(Script::Release, lease, None).await.map_err(|error| error.locks("release a lease"))
    }
}
