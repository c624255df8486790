//! Whose the tables are (R29).

use std::fmt;

use tokio_postgres::{Client, types::Type};
use uuid::Uuid;

use crate::{error::PostgresError, migrate};

/// Whose the tables of a schema are: drawn by their first migration, and kept in every backup of them.
///
/// A clone, or a restore beside the original, has the original's until
/// [`PostgresStore::draw_identity`](crate::PostgresStore::draw_identity) draws another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreIdentity(pub Uuid);

impl fmt::Display for StoreIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

pub(crate) async fn read(client: &Client, schema: &str) -> Result<StoreIdentity, PostgresError> {
    has_table(client, schema).await?;
    let rows = client.query_typed(&format!("SELECT id FROM \"{schema}\".scheduler_identity"), &[]).await?;
    match rows.first() {
        Some(row) => Ok(StoreIdentity(row.try_get(0)?)),
        None => Err(PostgresError::NoIdentity { schema: schema.to_owned() }),
    }
}

pub(crate) async fn draw(client: &Client, schema: &str) -> Result<StoreIdentity, PostgresError> {
    has_table(client, schema).await?;
    let sql = format!(
        "INSERT INTO \"{schema}\".scheduler_identity (id) VALUES (gen_random_uuid())
         ON CONFLICT (is_the_only) DO UPDATE SET id = excluded.id, drawn_at = excluded.drawn_at
         RETURNING id"
    );
    let rows = client.query_typed(&sql, &[]).await?;
    Ok(StoreIdentity(rows[0].try_get(0)?))
}

async fn has_table(client: &Client, schema: &str) -> Result<(), PostgresError> {
    let table = format!("\"{schema}\".scheduler_identity");
    let there = client.query_typed("SELECT to_regclass($1) IS NOT NULL", &[(&table, Type::TEXT)]).await?;
    match there[0].try_get(0)? {
        true => Ok(()),
        false => Err(PostgresError::Behind { schema: schema.to_owned(), known: migrate::known() }),
    }
}
