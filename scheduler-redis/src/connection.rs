//! One connection, made when it is first needed and again after it broke.

use std::time::Duration;

use redis::{AsyncConnectionConfig, Client, FromRedisValue, Pipeline, RedisError, aio::MultiplexedConnection};
use scheduler_core::lock::LockError;
use tokio::sync::Mutex;

use crate::error;

/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long an answer may take; the engine has shorter limits of its own where it goes on without one.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// A connection on which many calls are under way at once.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    address: String,
    open: Mutex<Option<MultiplexedConnection>>,
}

impl Connection {
    pub(crate) fn new(client: Client, address: String) -> Self {
        Self { client, address, open: Mutex::new(None) }
    }

    /// A connection of its own to the same server.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.client.clone(), self.address.clone())
    }

    /// Sends commands in one trip.
    pub(crate) async fn trip<T: FromRedisValue>(
        &self,
        operation: &'static str,
        commands: &Pipeline,
    ) -> Result<T, LockError> {
        let mut connection = self.get().await.map_err(|error| error::of(operation, &self.address, error))?;
        match commands.query_async(&mut connection).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                if error.is_unrecoverable_error() || error.is_timeout() {
                    self.forget().await;
                }
                Err(error::of(operation, &self.address, error))
            }
        }
    }

    async fn get(&self) -> Result<MultiplexedConnection, RedisError> {
        // Callers wait here for one of them to connect; none makes a second connection.
        let mut open = self.open.lock().await;
        if let Some(connection) = &*open {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(ANSWER_LIMIT));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(open.insert(connection).clone())
    }

    /// The next call makes a new connection.
    async fn forget(&self) {
        *self.open.lock().await = None;
    }
}
