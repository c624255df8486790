//! What can go wrong between this process and PostgreSQL, in words that say what to do, and never a password.

use std::{error::Error, time::Duration};

use scheduler_core::store::StoreError;
use tokio_postgres::error::SqlState;

/// Why PostgreSQL can't serve, or did not answer.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The URL is not one that can be used.
    #[error(
        "the PostgreSQL URL can't be used: {problem}; write `postgres://user:password@host:5432/database?sslmode=…`"
    )]
    Url {
        /// What is wrong with it.
        problem: String,
    },
    /// The schema's name can't be used.
    #[error("schema name `{name}` must be 1 to 63 of a-z, 0-9 and `_`, and start with a letter or `_`")]
    SchemaName {
        /// The name.
        name: String,
    },
    /// The search path names no schema that exists.
    #[error("the connection's search path names no schema that exists: create one, or name it with `with_schema`")]
    NoSchema,
    /// TLS can't be set up.
    #[error("TLS to {server} can't be set up: {problem}")]
    Tls {
        /// Which server.
        server: String,
        /// What is wrong.
        problem: String,
    },
    /// Nobody answers.
    #[error("PostgreSQL at {server} can't be reached: check the host and the port, and that the server runs")]
    Unreachable {
        /// Which server.
        server: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nothing is heard of a server that was connected to.
    #[error(
        "PostgreSQL did not answer within {limit:?}: check the network and whatever stands between, such as a pooler"
    )]
    Silent {
        /// How long it was waited for.
        limit: Duration,
    },
    /// The server does not let this user in.
    #[error("PostgreSQL at {server} refuses user `{user}`: check the user name and the password in the URL")]
    Authentication {
        /// Which server.
        server: String,
        /// Which user.
        user: String,
        /// What the server said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server has no such database.
    #[error("PostgreSQL at {server} has no database `{database}`: create it, or name another one in the URL")]
    MissingDatabase {
        /// Which server.
        server: String,
        /// Which database.
        database: String,
        /// What the server said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A later version of the code was here.
    #[error(
        "schema `{schema}` has version {found}, and this version of scheduler-postgres knows versions up to {known}: \
         deploy the newer version, or restore the database of before"
    )]
    Newer {
        /// Which schema.
        schema: String,
        /// The database's version.
        found: i32,
        /// The code's version.
        known: i32,
    },
    /// The tables are not what this version of the code works with.
    #[error(
        "the tables in schema `{schema}` are not at version {known} yet: migrate them, by `PostgresStore::migrate` or a start of \
         the engine as a role that may"
    )]
    Behind {
        /// Which schema.
        schema: String,
        /// The code's version.
        known: i32,
    },
    /// The tables say no more whose they are.
    #[error(
        "schema `{schema}` has no identity: its row in `scheduler_identity` is gone; `PostgresStore::draw_identity` draws another"
    )]
    NoIdentity {
        /// Which schema.
        schema: String,
    },
    /// A step of a migration failed, and changed nothing.
    #[error(
        "the tables in schema `{schema}` can't be brought to version {known}: a step failed and changed nothing; what was done \
         before it stays, and the next start goes on from there"
    )]
    Migration {
        /// Which schema.
        schema: String,
        /// The code's version.
        known: i32,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The role may not change tables, and they are not what this version of the code works with.
    #[error(
        "the tables in schema `{schema}` are not at version {known}, and role `{role}` may not bring them there: migrate them as a \
         role that may, by `PostgresStore::migrate` (`hris migrate`) or by the SQL of `PostgresStore::migration_script`, grant \
         `{role}` what docs/backends.md lists, and start again"
    )]
    MayNotMigrate {
        /// Which schema.
        schema: String,
        /// The code's version.
        known: i32,
        /// Which role.
        role: String,
        /// Which right it lacks, and on what.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The role may not do all that the scheduler does.
    #[error(
        "role `{role}` may not do all that the scheduler does in schema `{schema}`: `{grants}` gives it what it lacks, as does all \
         that docs/backends.md lists"
    )]
    Rights {
        /// Which schema.
        schema: String,
        /// Which role.
        role: String,
        /// The statements that give it what it lacks.
        grants: String,
    },
    /// A name that the scheduler's tables need is another's.
    #[error(
        "schema `{schema}` has a `{name}` already that is not the scheduler's: keep the scheduler's tables in a schema of \
         their own, by `with_schema`"
    )]
    Taken {
        /// Which schema.
        schema: String,
        /// The name.
        name: String,
    },
    /// The table `job_executions` that is there is not the predecessor's.
    #[error(
        "table `job_executions` in schema `{schema}` can't be adopted: its column `{column}` is {found}; nothing was \
         changed. If it is the predecessor's, `{mend}` mends it (a time without a zone is taken for UTC); if not, keep \
         the scheduler's tables in a schema of their own, by `with_schema`"
    )]
    Column {
        /// Which schema.
        schema: String,
        /// Which column.
        column: &'static str,
        /// Its type, or that it is missing.
        found: String,
        /// The statement that mends it.
        mend: String,
    },
    /// Every connection of the pool is in use.
    #[error("no connection became free in time: the pool has {size}")]
    Busy {
        /// The pool's size.
        size: usize,
    },
    /// A call of several statements was cut short after one of them had committed.
    #[error("the call was cut short half-way, after a part of it was written")]
    Partial {
        /// Why.
        #[source]
        source: Box<PostgresError>,
    },
    /// A row holds what this version of the code does not know.
    #[error("a row can't be read: `{value}` is no {what}")]
    Row {
        /// What was expected.
        what: &'static str,
        /// What is there.
        value: String,
    },
    /// The driver's own error.
    #[error("PostgreSQL: {}", said(.0))]
    Driver(#[from] tokio_postgres::Error),
}

/// As it prints, with its sources: a `main` that returns it prints this.
impl std::fmt::Debug for PostgresError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        scheduler_core::told::with_sources(self, f)
    }
}

/// The server's words for an error, with its code; the driver's own text says neither.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({}){}", db.message(), db.code().code(), detail(db)),
        None => error.to_string(),
    }
}

/// What the server says beside, where it names what stands in the way of a change of the tables: a view, a policy, a trigger.
/// The details of other errors quote rows, which may hold what is nobody's to read.
fn detail(error: &tokio_postgres::error::DbError) -> String {
    let names_objects = [SqlState::DEPENDENT_OBJECTS_STILL_EXIST, SqlState::FEATURE_NOT_SUPPORTED];
    let detail = error.detail().filter(|_| names_objects.contains(error.code()));
    detail.map(|detail| format!(": {detail}")).unwrap_or_default()
}

impl PostgresError {
    /// What a failed attempt to connect means.
    pub(crate) fn connecting(error: tokio_postgres::Error, config: &tokio_postgres::Config, server: &str) -> Self {
        let (server, user) = (server.to_owned(), config.get_user().unwrap_or_default().to_owned());
        match error.code() {
            Some(code) if is_authentication(code) => {
                Self::Authentication { server, user, source: Box::new(Self::Driver(error)) }
            }
            Some(code) if *code == SqlState::INVALID_CATALOG_NAME => Self::MissingDatabase {
                server,
                database: config.get_dbname().unwrap_or(&user).to_owned(),
                source: Box::new(Self::Driver(error)),
            },
            _ if is_missing_password(&error) => {
                Self::Authentication { server, user, source: Box::new(Self::Driver(error)) }
            }
            _ => match tls_problem(&error) {
                Some(problem) => Self::Tls { server, problem },
                None => Self::Unreachable { server, source: Box::new(Self::Driver(error)) },
            },
        }
    }

    /// Whether the server does not know a statement as this connection prepared it (R14).
    pub(crate) fn is_unknown_statement(error: &tokio_postgres::Error) -> bool {
        error
            .code()
            .is_some_and(|code| [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT].contains(code))
    }

    /// Whether a statement has to be prepared again: it is unknown, or a migration has changed what it answers.
    pub(crate) fn is_stale_statement(error: &tokio_postgres::Error) -> bool {
        Self::is_unknown_statement(error) || error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
    }

    /// As the store's error, where the statement only read.
    pub(crate) fn read(self, operation: &'static str) -> StoreError {
        match fate(&self) {
            Fate::Refused => StoreError::Rejected { operation, source: Box::new(self) },
            Fate::Unwritten | Fate::Unknown => StoreError::Unavailable { operation, source: Box::new(self) },
        }
    }

    /// As the store's error, where the statement may have written.
    pub(crate) fn write(self, operation: &'static str) -> StoreError {
        match fate(&self) {
            Fate::Refused => StoreError::Rejected { operation, source: Box::new(self) },
            Fate::Unwritten => StoreError::Unavailable { operation, source: Box::new(self) },
            Fate::Unknown => StoreError::Unknown { operation, source: Box::new(self) },
        }
    }
}

/// What an error says about the write it answers.
enum Fate {
    /// The same again is refused again.
    Refused,
    /// Nothing was written, and the same again may do.
    Unwritten,
    /// It may have been written.
    Unknown,
}

fn fate(error: &PostgresError) -> Fate {
    match error {
        PostgresError::Driver(error) => driver_fate(error),
        PostgresError::Unreachable { .. } | PostgresError::Silent { .. } | PostgresError::Busy { .. } => {
            Fate::Unwritten
        }
        PostgresError::Partial { .. } => Fate::Unknown,
        // A migration that lost its connection or a race is a passing trouble like any other.
        PostgresError::Migration { source, .. } => match source.source().and_then(|e| e.downcast_ref()) {
            Some(error) => driver_fate(error),
            None => Fate::Refused,
        },
        _ => Fate::Refused,
    }
}

fn driver_fate(error: &tokio_postgres::Error) -> Fate {
    let Some(db) = error.as_db_error() else {
        // No answer, or the half of one; but values that can't be sent or read are a mistake for good.
        return if error.is_closed() || is_io(error) { Fate::Unknown } else { Fate::Refused };
    };
    if PostgresError::is_stale_statement(error) {
        return Fate::Unwritten;
    }
    match db.code() {
        // The backend was told to end: it may have committed before it heard.
        code if [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN].contains(code) => Fate::Unknown,
        code => match &code.code()[..2] {
            // Connection trouble as told by a pooler: what was sent may have gone through.
            "08" => Fate::Unknown,
            // Rolled back: a deadlock, no room, not now, cancelled; a primary that has become a standby.
            "40" | "53" | "55" | "57" | "58" => Fate::Unwritten,
            _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Fate::Unwritten,
            _ => Fate::Refused,
        },
    }
}

fn is_authentication(code: &SqlState) -> bool {
    [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(code)
}

fn is_missing_password(error: &tokio_postgres::Error) -> bool {
    error.to_string().contains("password missing")
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<std::io::Error>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// Whether the connection was cut, as by a server that goes away during the handshake: a passing trouble.
fn is_cut(error: &tokio_postgres::Error) -> bool {
    use std::io::ErrorKind;
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|error| {
        [
            ErrorKind::UnexpectedEof,
            ErrorKind::ConnectionReset,
            ErrorKind::ConnectionAborted,
            ErrorKind::BrokenPipe,
            ErrorKind::TimedOut,
        ]
        .contains(&error.kind())
    })
}

/// What is wrong with the certificate or the protocol, if that is what is wrong.
fn tls_problem(error: &tokio_postgres::Error) -> Option<String> {
    if is_cut(error) {
        return None;
    }
    if error.to_string().contains("TLS") || error.to_string().contains("server does not support") {
        let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        return Some(format!("{error}{source}; check `sslmode` and `sslrootcert` in the URL"));
    }
    None
}
