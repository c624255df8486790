//! What is there before the first migration: nothing, the predecessor's table, or somebody else's.

use tokio_postgres::{GenericClient, types::Type};

use crate::error::PostgresError;

/// The predecessor's columns, which of PostgreSQL's types each may have, and what it is to be made.
const COLUMNS: [(&str, &[&str], &str); 11] = [
    ("id", &["integer", "bigint"], "bigint"),
    ("job_id", &["character varying", "text"], "text"),
    ("started_at", &["timestamp with time zone"], "timestamptz"),
    ("finished_at", &["timestamp with time zone"], "timestamptz"),
    ("duration_seconds", &["numeric", "double precision", "real"], "numeric(10, 3)"),
    ("success", &["boolean"], "boolean"),
    ("message", &["text", "character varying"], "text"),
    ("error_trace", &["text", "character varying"], "text"),
    ("result_data", &["json", "jsonb"], "json"),
    ("created_at", &["timestamp with time zone"], "timestamptz"),
    ("updated_at", &["timestamp with time zone"], "timestamptz"),
];

/// What the first migration makes, and finds in nobody's way.
const MADE: [&str; 6] =
    ["execution_fences", "execution_leases", "job_revisions", "job_states", "instances", "job_audit"];

/// Looks at what is there, and refuses what can't be adopted, before anything is changed. How many rows the predecessor's
/// table has, where there is one.
pub(super) async fn look(transaction: &impl GenericClient, schema: &str) -> Result<Option<i64>, PostgresError> {
    let taken = transaction
        .query_typed(
            "SELECT c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = ANY ($2) ORDER BY c.relname",
            &[(&schema, Type::NAME), (&MADE.as_slice(), Type::TEXT_ARRAY)],
        )
        .await?;
    if let Some(row) = taken.first() {
        return Err(PostgresError::Taken { schema: schema.to_owned(), name: row.try_get(0)? });
    }
    let columns = transaction
        .query_typed(
            "SELECT a.attname::text, format_type(a.atttypid, NULL)
             FROM pg_class AS c
             JOIN pg_namespace AS n ON n.oid = c.relnamespace
             JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE n.nspname = $1 AND c.relname = 'job_executions'",
            &[(&schema, Type::NAME)],
        )
        .await?;
    if columns.is_empty() {
        return Ok(None);
    }
    for (column, allowed, wanted) in COLUMNS {
        let refused = |found: &str| PostgresError::Column {
            schema: schema.to_owned(),
            column,
            found: found.to_owned(),
            mend: mend(schema, column, found, wanted),
        };
        let found = columns.iter().find(|row| row.try_get::<_, &str>(0).is_ok_and(|name| name == column));
        let found: &str = found.ok_or_else(|| refused("missing"))?.try_get(1)?;
        if !allowed.contains(&found) {
            return Err(refused(found));
        }
    }
    let rows = transaction.query_typed(&format!("SELECT count(*) FROM \"{schema}\".job_executions"), &[]).await?;
    Ok(Some(rows[0].try_get(0)?))
}

/// The statement that makes a column what it has to be.
fn mend(schema: &str, column: &str, found: &str, wanted: &str) -> String {
    let table = format!("ALTER TABLE \"{schema}\".job_executions");
    match found {
        "missing" => format!("{table} ADD COLUMN {column} {wanted}"),
        "timestamp without time zone" => {
            format!("{table} ALTER COLUMN {column} TYPE {wanted} USING {column} AT TIME ZONE 'UTC'")
        }
        _ => format!("{table} ALTER COLUMN {column} TYPE {wanted} USING {column}::{wanted}"),
    }
}
