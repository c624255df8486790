//! `hris migrate`: the tables, without the service.

use std::fmt::Write as _;

use scheduler::postgres::{PostgresError, PostgresStore, VersionState};
use thiserror::Error;

use crate::{
    attendance::{ConnectError, PostgresAttendance},
    cli::Migrate,
    settings::Settings,
};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// What is printed.
    pub text: String,
    /// Whether what this program needs is there.
    pub is_complete: bool,
}

/// Why the tables can't be migrated, or looked at.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// Executions and attendance rows live in memory.
    #[error("`DATABASE_URL` is not set: without it there are no tables")]
    NoDatabase,
    /// The scheduler's tables.
    #[error(transparent)]
    Scheduler(#[from] PostgresError),
    /// The service's own table.
    #[error(transparent)]
    Attendance(#[from] ConnectError),
}

/// Does what was asked for to the tables of `DATABASE_URL`.
///
/// # Errors
/// When there is no database, it does not answer, or it refuses.
pub async fn migrate(settings: &Settings, what: Migrate) -> Result<Migrated, MigrateError> {
    let url = settings.database_url.as_deref().ok_or(MigrateError::NoDatabase)?;
    let store = PostgresStore::connect_lazy(url)?;
    match what {
        Migrate::Run => run(&store, url).await,
        Migrate::Check => check(&store, url).await,
        Migrate::Sql => sql(&store, url).await,
        Migrate::NewIdentity => {
            let Migrated { mut text, is_complete } = run(&store, url).await?;
            let before = store.identity().await?;
            let drawn = store.draw_identity().await?;
            let _ = writeln!(text, "the identity of the tables is {drawn} now, and was {before}");
            Ok(Migrated { text, is_complete })
        }
    }
}

async fn run(store: &PostgresStore, url: &str) -> Result<Migrated, MigrateError> {
    let before = store.check_migrations().await?;
    let has_attendances = PostgresAttendance::missing_sql(url).await?.is_none();
    store.migrate().await?;
    PostgresAttendance::connect(url).await?;
    let after = store.check_migrations().await?;
    let mut text = String::new();
    for version in after.of(VersionState::Applied) {
        if !before.of(VersionState::Applied).any(|known| known.version == version.version) {
            let _ = writeln!(text, "applied version {}: {}", version.version, version.name);
        }
    }
    if !has_attendances {
        text.push_str("made the table `attendances`\n");
    }
    if text.is_empty() {
        text.push_str("there was nothing to do\n");
    }
    for version in after.of(VersionState::Belated) {
        let _ = writeln!(
            text,
            "left version {} for a later run, which nothing needs: {}. It waits until nothing was heard of an older instance for an hour",
            version.version, version.name
        );
    }
    let _ = writeln!(text, "the tables in schema `{}` are at version {}", after.schema, after.known);
    Ok(Migrated { text, is_complete: true })
}

async fn check(store: &PostgresStore, url: &str) -> Result<Migrated, MigrateError> {
    let check = store.check_migrations().await?;
    let has_attendances = PostgresAttendance::missing_sql(url).await?.is_none();
    let attendances = if has_attendances { "is there" } else { "is missing" };
    let text = format!("{check}\nthe table `attendances` {attendances}\n");
    Ok(Migrated { text, is_complete: check.is_usable() && has_attendances })
}

async fn sql(store: &PostgresStore, url: &str) -> Result<Migrated, MigrateError> {
    let mut text = store.migration_script().await?;
    if let Some(sql) = PostgresAttendance::missing_sql(url).await? {
        let schema = store.check_migrations().await?.schema;
        let _ = writeln!(
            text,
            "\n-- The service's own table.\n\\set ON_ERROR_STOP on\nSET search_path TO \"{schema}\", pg_temp;\n{};",
            sql.trim_end()
        );
    }
    Ok(Migrated { text, is_complete: true })
}
