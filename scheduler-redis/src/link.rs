//! One connection for all calls of a handle, made when it is needed and again after it was lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
}

impl Link {
    pub(crate) fn new(config: Arc<RedisConfig>) -> Self {
        Self { config, current: Arc::default() }
    }

    pub(crate) fn config(&self) -> &Arc<RedisConfig> {
        &self.config
    }

    /// Makes a connection, and closes it.
    pub(crate) async fn probe(&self) -> Result<(), RedisError> {
        Connection::open(&self.config).await.map(drop)
    }

    /// Sends commands in one trip; the answers, refusals among them, in their order.
    ///
    /// # Cancel safety
    /// A dropped call may have had its effect. The next one uses another connection, in case this one was dead.
    pub(crate) async fn send(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let opening = self.opening();
        let connection = opening.clone().await?;
        let mut pending = Pending { link: self, opening: &opening, is_answered: false };
        let answers = connection.send(pipeline).await.map_err(|error| self.explain(error));
        let breaks = match &answers {
            Ok(answers) => answers.iter().any(|answer| self.read(answer).is_err_and(|e| e.breaks_connection())),
            Err(error) => error.breaks_connection(),
        };
        pending.is_answered = !breaks;
        answers
    }

    /// An answer, or the refusal that it is.
    fn read(&self, answer: &Value) -> Result<(), RedisError> {
        match answer {
            Value::ServerError(error) => Err(self.explain(error.clone().into())),
            _ => Ok(()),
        }
    }

    pub(crate) fn explain(&self, error: redis::RedisError) -> RedisError {
        RedisError::using(error, &self.config.server())
    }

    /// The connection that is there or on its way; else a new one.
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

    /// Lets a connection go; those who wait for an answer on it keep it for as long.
    fn forget(&self, opening: &Opening) {
        let mut current = self.current();
        if current.as_ref().is_some_and(|current| current.ptr_eq(opening)) {
            *current = None;
        }
    }

    fn current(&self) -> MutexGuard<'_, Option<Opening>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way. One that ends without an answer takes its connection with it.
struct Pending<'a> {
    link: &'a Link,
    opening: &'a Opening,
    is_answered: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.link.forget(self.opening);
        }
    }
}
