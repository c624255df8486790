//! The execution store on PostgreSQL 14 or newer.
//!
//! ```no_run
//! # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
//! use scheduler_postgres::PostgresStore;
//!
//! let store = PostgresStore::connect("postgres://hris:secret@db.internal/hris?sslmode=verify-full").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it guarantees
//!
//! - The server decides: an attempt is claimed by the statement that inserts its `running` row, by the server's clock.
//! - A claim, take, renewal, finish or look is one round trip on a warm connection, whatever the size of its batch.
//! - Nothing lives in a session, and every statement names its schema, so a pooler in transaction mode may stand between.
//! - A body's own transaction can be guarded: [`Guard`] fails it once the execution may be another's.
//! - The tables are made, and the predecessor's adopted, by [`PostgresStore::connect`]; ten instances may start at once.
//!
//! # What it does not
//!
//! LISTEN and NOTIFY are not used. Several services share a database by schema: [`PostgresStore::with_schema`].

mod announce;
mod apart;
mod audit;
mod backfill;
mod claim;
mod config;
mod control;
mod decide;
mod dependants;
mod error;
mod finish;
mod guard;
mod history;
mod identity;
mod make_way;
mod migrate;
mod operator;
mod pause;
#[cfg(test)]
mod plans;
mod pool;
mod prune;
mod recover;
mod renew;
mod report;
mod request;
mod rights;
mod row;
mod sql;
mod store;
mod survey;
mod take;
mod tls;

pub use config::{PostgresConfig, SslMode};
pub use error::PostgresError;
pub use guard::{Guard, GuardError};
pub use identity::StoreIdentity;
pub use migrate::{MigrationCheck, TableVersion, VersionState};
pub use store::PostgresStore;
