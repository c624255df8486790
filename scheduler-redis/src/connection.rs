//! An open connection to the server.

use std::{fmt, io, sync::Arc, time::Duration};

use redis::{AsyncConnectionConfig, Pipeline, Value, aio::MultiplexedConnection};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

use crate::{config::RedisConfig, error::RedisError};

/// How long a connection may take to be made, name, TLS and login included.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long an answer may take; callers with less time give up before.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// How long a connection may be silent before the system asks whether its peer is there. A job may be due once a day,
/// and what stands between may have forgotten the connection by then.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// How many calls may wait for the connection to take them; more wait for their turn.
const QUEUE: usize = 1_024;

/// An open connection, shared by whoever has something to ask.
pub(crate) struct Connection {
    requests: MultiplexedConnection,
    driver: JoinHandle<()>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}

impl Drop for Connection {
    /// Closes it at once: left alone, the driver would first write what is queued, to a peer that may read no more.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Makes a connection, and has the server answer on it.
    pub(crate) async fn open(config: &RedisConfig) -> Result<Self, RedisError> {
        let opened = timeout(CONNECT_LIMIT, async {
            let connection = Self::log_in(config).await?;
            // A server that wants a password says so at the first request alone.
            connection.send(&ping()).await.and_then(refusal).map_err(|error| login_error(error, config))?;
            Ok(connection)
        });
        opened.await.unwrap_or_else(|_| Err(unreachable(config, silence(CONNECT_LIMIT))))
    }

    async fn log_in(config: &RedisConfig) -> Result<Self, RedisError> {
        let stream = TcpStream::connect(config.address()).await.map_err(|error| unreachable(config, error))?;
        stream.set_nodelay(true).map_err(|error| unreachable(config, error))?;
        SockRef::from(&stream)
            .set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))
            .map_err(|error| unreachable(config, error))?;
        let Some(tls) = config.tls() else { return Self::over(stream, config).await };
        let stream = tls.connector.connect(tls.name.clone(), stream).await.map_err(|error| tls_error(error, config))?;
        Self::over(stream, config).await
    }

    async fn over<S>(stream: S, config: &RedisConfig) -> Result<Self, RedisError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let settings =
            AsyncConnectionConfig::new().set_response_timeout(Some(ANSWER_LIMIT)).set_pipeline_buffer_size(QUEUE);
        let (requests, driver) = MultiplexedConnection::new_with_config(config.login(), stream, settings)
            .await
            .map_err(|error| login_error(error, config))?;
        Ok(Self { requests, driver: tokio::spawn(driver) })
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.driver.is_finished()
    }

    /// The answers to a pipeline's commands, refusals among them.
    pub(crate) async fn send(&self, pipeline: &Pipeline) -> Result<Vec<Value>, redis::RedisError> {
        self.requests.clone().send_packed_commands(pipeline, 0, pipeline.len()).await
    }
}

fn ping() -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(1);
    pipeline.cmd("PING");
    pipeline
}

/// The first refusal among the answers.
fn refusal(answers: Vec<Value>) -> Result<(), redis::RedisError> {
    answers.into_iter().try_for_each(|answer| answer.extract_error().map(drop))
}

fn silence(limit: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {limit:?}"))
}

fn unreachable(config: &RedisConfig, error: io::Error) -> RedisError {
    RedisError::Unreachable { server: config.server(), source: Arc::new(error) }
}

fn login_error(error: redis::RedisError, config: &RedisConfig) -> RedisError {
    RedisError::connecting(error, &config.server(), config.login().username())
}

fn tls_error(error: io::Error, config: &RedisConfig) -> RedisError {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidMessage(_)) => {
            config.tls_error("the server does not speak TLS at this port".to_owned())
        }
        Some(cause) => config.tls_error(cause.to_string()),
        None => unreachable(config, error),
    }
}
