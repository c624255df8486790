//! What can go wrong between this process and Redis, in words that say what to do, and never a password.

use std::{error::Error, io, sync::Arc};

use redis::{ErrorKind, ServerErrorKind};
use scheduler_core::lock::LockError;

/// Why Redis can't serve, or did not answer.
///
/// Clones share their source: everybody who waited for the same connection learns why there is none.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RedisError {
    /// The URL is not one that can be used.
    #[error(
        "the Redis URL can't be used: {problem}; write `redis://user:password@host:6379/0`, or `rediss://…` for TLS"
    )]
    Url {
        /// What is wrong with it.
        problem: String,
    },
    /// The namespace can't be used.
    #[error("namespace `{name}` must be 1 to 64 of a-z, A-Z, 0-9, `.`, `_`, `:` and `-`")]
    Namespace {
        /// The name, cut to 64 characters.
        name: String,
    },
    /// TLS can't be set up.
    #[error("TLS to Redis at {server} can't be set up: {problem}")]
    Tls {
        /// Which server.
        server: String,
        /// What is wrong.
        problem: String,
    },
    /// Nobody answers.
    #[error("Redis at {server} can't be reached: {}", hint(&**source))]
    Unreachable {
        /// Which server.
        server: String,
        /// Why.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The server does not let this client in.
    #[error("Redis at {server} refuses {user}: the user or the password is wrong; look at the URL")]
    Authentication {
        /// Which server.
        server: String,
        /// Which user.
        user: String,
        /// What the server said.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The connection was lost, or too slow, before the answer: whether the request had its effect is not known.
    #[error("the connection to Redis at {server} was lost before the answer came")]
    Lost {
        /// Which server.
        server: String,
        /// Why.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The server answered that it will not.
    #[error("Redis at {server} refuses: {reply}")]
    Refused {
        /// Which server.
        server: String,
        /// Its words, with their code.
        reply: String,
        /// Whether the reason passes by itself.
        passing: bool,
    },
    /// The answer makes no sense.
    #[error("what answers at {server} is not the Redis that was expected: {problem}")]
    Reply {
        /// Which server.
        server: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// As it prints, with its sources: a `main` that returns it prints this.
impl std::fmt::Debug for RedisError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        scheduler_core::told::with_sources(self, f)
    }
}

/// What to look at where nobody answers.
fn hint(source: &(dyn Error + Send + Sync + 'static)) -> &'static str {
    match source.downcast_ref().map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => "nothing listens there; is the server up?",
        Some(io::ErrorKind::TimedOut) => "no answer in time; do the network and the server let this host in?",
        _ => "look at the host and the port",
    }
}

/// Replies after which the same request may succeed later: a server that starts, fails over, runs out of memory, or was
/// told to forget its scripts at the wrong moment.
const PASSING: [&str; 11] = [
    "BUSY",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "NOREPLICAS",
    "NOSCRIPT",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "UNKILLABLE",
];

impl RedisError {
    /// What the driver's error on an open connection means.
    pub(crate) fn using(error: redis::RedisError, server: &str) -> Self {
        let server = server.to_owned();
        match error.kind() {
            ErrorKind::Server(_) | ErrorKind::Extension => {
                let code = error.code().unwrap_or("ERR").to_owned();
                let details = error.detail().unwrap_or_default();
                let passing = PASSING.contains(&code.as_str()) || details.contains("max number of clients");
                Self::Refused { server, reply: format!("{code} {details}"), passing }
            }
            ErrorKind::Parse => Self::Reply { server, problem: "it does not speak Redis's protocol".to_owned() },
            _ => Self::Lost { server, source: Arc::new(error) },
        }
    }

    /// What the driver's error while a connection is made means.
    pub(crate) fn connecting(error: redis::RedisError, server: &str, user: Option<&str>) -> Self {
        let is_credentials = error.kind() == ErrorKind::AuthenticationFailed
            || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
            || error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) && user.is_none();
        if is_credentials {
            let user = user.map_or_else(|| "the default user".to_owned(), |user| format!("user `{user}`"));
            return Self::Authentication { server: server.to_owned(), user, source: Arc::new(error) };
        }
        match Self::using(error, server) {
            Self::Lost { server, source } => Self::Unreachable { server, source },
            other => other,
        }
    }

    /// Whether the connection that it happened on is of no more use.
    pub(crate) fn breaks_connection(&self) -> bool {
        match self {
            // A replica now: another connection may find the new primary.
            Self::Refused { reply, .. } => reply.starts_with("READONLY"),
            Self::Lost { .. } | Self::Reply { .. } => true,
            _ => false,
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } => true,
            Self::Refused { passing, .. } => *passing,
            _ => false,
        }
    }

    /// As the lock backend's error.
    pub(crate) fn locks(self, operation: &'static str) -> LockError {
        if self.is_retryable() {
            LockError::Unavailable { operation, source: Box::new(self) }
        } else {
            LockError::Rejected { operation, source: Box::new(self) }
        }
    }
}
