//! Why the service does not start.

use std::net::SocketAddr;

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
    /// The attendance table can't be used.
    #[error("the attendance table can't be used")]
    Attendance(#[from] ConnectError),
    /// The Workforce Service's URL is none.
    #[error("`WORKFORCE_GRPC_URL` is {0}")]
    WorkforceUrl(#[from] InvalidWorkforceUrl),
    /// The demo Workforce server does not start.
    #[error("the demo Workforce server does not start")]
    Workforce(#[from] WorkforceServerError),
}
