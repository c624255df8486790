//! One connection for all calls of a handle, made when it is needed and again after it was lost.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
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
struct Connection {
    requests: MultiplexedConnection,
    driver: JoinHandle<()>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}

impl Drop for Connection {
    /// Closes it, also with answers outstanding: nobody waits for them.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Makes a connection, and has the server answer on it.
    async fn open(config: &RedisConfig) -> Result<Self, RedisError> {
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

    fn is_open(&self) -> bool {
        !self.driver.is_finished()
    }

    /// The answers to a pipeline's commands, refusals among them.
    async fn send(&self, pipeline: &Pipeline) -> Result<Vec<Value>, redis::RedisError> {
        self.requests.clone().send_packed_commands(pipeline, 0, pipeline.len()).await
    }
}

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
