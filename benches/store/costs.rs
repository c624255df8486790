//! What an execution costs: processor time on both sides, and what the server did for it.

use std::time::Duration;

use crate::server::Spent;

/// Shares of one execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Costs {
    pub(crate) client_us: f64,
    pub(crate) server_us: Option<f64>,
    pub(crate) statements: Option<f64>,
    pub(crate) commits: f64,
    pub(crate) wal_bytes: f64,
}

impl Costs {
    /// Nothing where nothing was executed.
    pub(crate) fn of(executions: i64, client: Duration, server: Spent) -> Option<Self> {
        let each = |all: f64| all / executions as f64;
        let micros = |cpu: Duration| each(cpu.as_secs_f64() * 1e6);
        (executions > 0).then(|| Self {
            client_us: micros(client),
            server_us: server.cpu.map(micros),
            statements: server.statements.map(|statements| each(statements as f64)),
            commits: each(server.commits as f64),
            wal_bytes: each(server.wal_bytes as f64),
        })
    }
}
