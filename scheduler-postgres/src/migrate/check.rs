//! What a schema has of the scheduler's tables, told without changing anything.

use std::{collections::BTreeMap, fmt};

use tokio_postgres::{Client, Transaction};

use super::{Found, adopt, base, known, lacks_a_right, steps};
use crate::{error::PostgresError, rights};

/// What a schema has of the scheduler's tables, by [`PostgresStore::check_migrations`](crate::PostgresStore::check_migrations).
///
/// Its `Display` is a line that sums it up, and a line a version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationCheck {
    /// Which schema.
    pub schema: String,
    /// The version that this code brings a schema to.
    pub known: i32,
    /// Every version that this code knows or the schema has, in their order.
    pub versions: Vec<TableVersion>,
    /// How many rows the predecessor's table has, where it is there and was not adopted yet.
    pub to_adopt: Option<i64>,
}

/// A version of the tables, and how it stands in a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableVersion {
    /// Its number.
    pub version: i32,
    /// What it brings, in a few words.
    pub name: String,
    /// How it stands.
    pub state: VersionState,
}

/// How a version of the tables stands in a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionState {
    /// It was applied.
    Applied,
    /// It was not, and this code can't do without it.
    Missing,
    /// It was not, and this code works without it: it waits until nothing was heard of an older instance for an hour.
    Belated,
    /// A later version of the code applied it, and this one works with it.
    Newer,
    /// A later version of the code applied it, and this one can't work with it.
    Breaking,
}

impl MigrationCheck {
    /// Whether this code can work with the tables as they are, without a migration.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !self.versions.iter().any(|version| matches!(version.state, VersionState::Missing | VersionState::Breaking))
    }

    /// The versions in this state.
    pub fn of(&self, state: VersionState) -> impl Iterator<Item = &TableVersion> {
        self.versions.iter().filter(move |version| version.state == state)
    }

    fn summary(&self) -> &'static str {
        let is_there = |state| self.of(state).next().is_some();
        if is_there(VersionState::Breaking) {
            "this version of the code can't work with them: deploy the newer one"
        } else if is_there(VersionState::Missing) {
            "they have to be migrated"
        } else if is_there(VersionState::Newer) {
            "this version of the code can work with them, though they are of a newer one: deploy it"
        } else if is_there(VersionState::Belated) {
            "nothing that is needed is missing"
        } else {
            "nothing is missing"
        }
    }
}

impl fmt::Display for MigrationCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the scheduler's tables in schema `{}`: {}", self.schema, self.summary())?;
        if let Some(rows) = self.to_adopt {
            write!(f, "\nthe predecessor's table is there, with {rows} rows, and is adopted by the migration")?;
        }
        for version in &self.versions {
            write!(f, "\n{version}")?;
        }
        Ok(())
    }
}

impl fmt::Display for TableVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5}  {:<8}  {}", self.version, self.state.word(), self.name)
    }
}

impl VersionState {
    const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Missing => "missing",
            Self::Belated => "belated",
            Self::Newer => "newer",
            Self::Breaking => "breaking",
        }
    }
}

/// Looks at the schema, in a transaction that may only read.
pub(crate) async fn check(client: &mut Client, schema: &str) -> Result<MigrationCheck, PostgresError> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    let check = look(&transaction, schema).await;
    transaction.rollback().await?;
    match check {
        Err(error) if lacks_a_right(&error) => Err(rights::lacking(client, schema).await?.unwrap_or(error)),
        check => check,
    }
}

pub(super) async fn look(transaction: &Transaction<'_>, schema: &str) -> Result<MigrationCheck, PostgresError> {
    let found = Found::read(transaction, schema).await?;
    let to_adopt = if found.base == 0 { adopt::look(transaction, schema).await? } else { None };
    let newer = match found.is_later(schema) {
        Ok(_) => VersionState::Newer,
        Err(PostgresError::Newer { .. }) => VersionState::Breaking,
        Err(error) => return Err(error),
    };
    let applied = found.applied();
    let has = |version: i32| version <= found.base || applied.contains(&version);
    let mut versions: BTreeMap<i32, TableVersion> = BTreeMap::new();
    let mut add = |version, name: &str, state| {
        versions.entry(version).or_insert_with(|| TableVersion { version, name: name.to_owned(), state });
    };
    for migration in base::versions() {
        let state = if has(migration.version()) { VersionState::Applied } else { VersionState::Missing };
        add(migration.version(), &migration.name().replace('_', " "), state);
    }
    for step in steps::all() {
        let state = match (applied.contains(&step.version), step.is_belated()) {
            (true, _) => VersionState::Applied,
            (false, true) => VersionState::Belated,
            (false, false) => VersionState::Missing,
        };
        add(step.version, step.name, state);
    }
    for (version, name) in later(transaction, schema, &found).await? {
        add(version, &name, newer);
    }
    let versions = versions.into_values().collect();
    Ok(MigrationCheck { schema: schema.to_owned(), known: known(), versions, to_adopt })
}

/// What the schema's own tables say was applied to it, with the names.
async fn later(
    transaction: &Transaction<'_>,
    schema: &str,
    found: &Found,
) -> Result<Vec<(i32, String)>, PostgresError> {
    let mut later = Vec::new();
    let tables = [(found.base > 0, base::TABLE), (!found.steps.is_empty(), steps::TABLE)];
    for (_, table) in tables.into_iter().filter(|(is_there, _)| *is_there) {
        let sql = format!("SELECT version, coalesce(name, '') FROM \"{schema}\".{table}");
        for row in transaction.query_typed(&sql, &[]).await? {
            later.push((row.try_get(0)?, row.try_get(1)?));
        }
    }
    Ok(later)
}
