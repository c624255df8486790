//! One connection for all calls of a handle, made when it is needed and again after it was lost.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use redis::{Pipeline, Value};

use crate::{config::RedisConfig, connection::Connection, error::RedisError};

/// A connection that is open, or being made.
type Opening = Shared<BoxFuture<'static, Result<Arc<Connection>, RedisError>>>;

/// The way to the server: at most one connection at a time. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    config: Arc<RedisConfig>,
    current: Arc<Mutex<Option<Opening>>>,
    /// Whether the server was seen to refuse commands of many keys, as one in cluster mode does.
    wants_one_key: Arc<AtomicBool>,
}

/// A link with its connection open.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    link: Link,
    connection: Arc<Connection>,
}

impl Link {
    pub(crate) fn new(config: Arc<RedisConfig>) -> Self {
        Self { config, current: Arc::default(), wants_one_key: Arc::default() }
    }

    pub(crate) fn config(&self) -> &Arc<RedisConfig> {
        &self.config
    }

    /// Makes a connection, and closes it.
    pub(crate) async fn probe(&self) -> Result<(), RedisError> {
        Connection::open(&self.config).await.map(drop)
    }

    /// The link with the connection that is there, or on its way; else with a new one.
    ///
    /// # Cancel safety
    /// A connection that is being made is made nevertheless: the next caller finds it.
    pub(crate) async fn line(&self) -> Result<Line, RedisError> {
        Ok(Line { link: self.clone(), connection: self.opening().await? })
    }

    pub(crate) fn explain(&self, error: redis::RedisError) -> RedisError {
        RedisError::using(error, &self.config.server())
    }

    pub(crate) fn unexpected(&self, asked: &str, answer: &dyn fmt::Debug) -> RedisError {
        RedisError::Reply { server: self.config.server(), problem: format!("it answers {asked} with `{answer:?}`") }
    }

    fn opening(&self) -> Opening {
        let mut current = self.current();
        let usable = current.as_ref().filter(|opening| match opening.peek() {
            None => true,
            Some(opened) => opened.as_ref().is_ok_and(|connection| connection.is_open()),
        });
        if let Some(opening) = usable {
            return opening.clone();
        }
        let config = Arc::clone(&self.config);
        let opening = async move { Connection::open(&config).await.map(Arc::new) }.boxed().shared();
        // Goes on when the caller's own time is over: the next one finds it made.
        tokio::spawn(opening.clone());
        *current = Some(opening.clone());
        opening
    }

    fn current(&self) -> MutexGuard<'_, Option<Opening>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// Sends commands in one trip; the answers, refusals among them, in their order.
    ///
    /// # Cancel safety
    /// A dropped call may have had its effect. The next one uses another connection, in case this one was dead.
    pub(crate) async fn send(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let mut pending = Pending { line: self, is_answered: false };
        let answers = self.connection.send(pipeline).await.map_err(|error| self.link.explain(error));
        pending.is_answered = match &answers {
            Ok(answers) => !answers.iter().any(|answer| self.breaks_connection(answer)),
            Err(error) => !error.breaks_connection(),
        };
        answers
    }

    /// Lets the connection go; those who wait for an answer on it keep it for as long.
    pub(crate) fn leave(&self) {
        let mut current = self.link.current();
        let is_current = |opening: &Opening| {
            let opened = opening.peek().and_then(|opened| opened.as_ref().ok());
            opened.is_some_and(|connection| Arc::ptr_eq(connection, &self.connection))
        };
        if current.as_ref().is_some_and(is_current) {
            *current = None;
        }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.connection, &other.connection)
    }

    /// Whether the server takes commands of many keys, as far as was seen.
    pub(crate) fn takes_many_keys(&self) -> bool {
        !self.link.wants_one_key.load(Ordering::Relaxed)
    }

    /// Has commands be of one key each from now on.
    pub(crate) fn note_one_key_at_once(&self) {
        self.link.wants_one_key.store(true, Ordering::Relaxed);
    }

    pub(crate) fn unexpected(&self, asked: &str, answer: &dyn fmt::Debug) -> RedisError {
        self.link.unexpected(asked, answer)
    }

    /// Whether an answer, or one of those in it, is a refusal for which another connection may be better.
    fn breaks_connection(&self, answer: &Value) -> bool {
        match answer {
            Value::ServerError(error) => self.link.explain(error.clone().into()).breaks_connection(),
            Value::Array(answers) => answers.iter().any(|answer| self.breaks_connection(answer)),
            _ => false,
        }
    }
}

/// A request under way. One that ends without an answer takes its connection with it.
struct Pending<'a> {
    line: &'a Line,
    is_answered: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.line.leave();
        }
    }
}
