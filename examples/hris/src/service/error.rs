//! Why the service does not start.

use std::net::SocketAddr;

use scheduler::{StartError, admin::MetricsError, build_error::BuildError, lock::LockError, postgres::PostgresError};
use thiserror::Error;

use crate::{
    attendance::ConnectError,
    workforce::{InvalidWorkforceUrl, WorkforceServerError},
};

/// Why the service does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The port is taken, or the address is not this machine's.
    #[error("can't listen on `{address}`; `HRIS_HTTP_ADDR` sets another address")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing can be counted for `/metrics`.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The database can't be used.
    #[error("`DATABASE_URL` can't be used")]
    Database(#[from] PostgresError),
    /// Redis can't be used.
    #[error("`REDIS_URL` can't be used")]
    Redis(#[from] LockError),
    /// The attendance table can't be used.
    #[error("the attendance table can't be used")]
    Attendance(#[from] ConnectError),
    /// The jobs do not fit together.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The scheduler does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The Workforce Service's URL is none.
    #[error("`WORKFORCE_GRPC_URL` is {0}")]
    WorkforceUrl(#[from] InvalidWorkforceUrl),
    /// The demo Workforce server does not start.
    #[error("the demo Workforce server does not start")]
    Workforce(#[from] WorkforceServerError),
}
