//! What a role must be allowed to work with the tables that somebody else made. docs/backends.md lists it as SQL.

use tokio_postgres::{Client, types::Type};

use crate::error::PostgresError;

/// What is granted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    Sequence,
    Function,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Table => "TABLE",
            Self::Sequence => "SEQUENCE",
            Self::Function => "FUNCTION",
        }
    }
}

/// The rights on everything in the schema; that on the schema itself comes first.
const RIGHTS: [(Kind, &str, &[&str]); 17] = [
    (Kind::Table, "job_executions", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    (Kind::Table, "execution_leases", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    (Kind::Table, "execution_logs", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    (Kind::Table, "execution_reports", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    (Kind::Table, "instances", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    (Kind::Table, "job_states", &["SELECT", "INSERT", "UPDATE"]),
    (Kind::Table, "job_revisions", &["SELECT", "INSERT", "UPDATE"]),
    (Kind::Table, "job_audit", &["SELECT", "INSERT"]),
    (Kind::Table, "scheduler_migrations", &["SELECT"]),
    (Kind::Table, "scheduler_versions", &["SELECT"]),
    (Kind::Table, "scheduler_identity", &["SELECT"]),
    (Kind::Sequence, "job_executions_id_seq", &["USAGE"]),
    // What was given is read at a start, and the sequence raised above it where a restore has set it back.
    (Kind::Sequence, "execution_fences", &["USAGE", "SELECT", "UPDATE"]),
    (Kind::Function, "fences_ended_since(timestamptz)", &["EXECUTE"]),
    (Kind::Function, "first_id_since(timestamptz)", &["EXECUTE"]),
    (Kind::Function, "first_key(timestamptz)", &["EXECUTE"]),
    (Kind::Function, "last_key(timestamptz)", &["EXECUTE"]),
];

/// Refuses a role that lacks a right, with the statements that give it.
pub(crate) async fn check(client: &Client, schema: &str) -> Result<(), PostgresError> {
    match lacking(client, schema).await? {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// What the connection's role lacks to work with the schema, if it lacks anything.
pub(crate) async fn lacking(client: &Client, schema: &str) -> Result<Option<PostgresError>, PostgresError> {
    let sql = "SELECT current_user::text, quote_ident(current_user), has_schema_privilege(oid, 'USAGE')
               FROM pg_namespace WHERE nspname = $1";
    let rows = client.query_typed(sql, &[(&schema, Type::NAME)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (role, quoted, may_enter): (String, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    // Nothing in it can be asked for by who may not enter.
    let mut grants = Vec::new();
    if may_enter {
        for row in client.query_typed(&question(schema), &[]).await? {
            let (kind, name, right): (&str, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            grants.push(format!("GRANT {right} ON {kind} \"{schema}\".{name} TO {quoted}"));
        }
    } else {
        grants.push(format!("GRANT USAGE ON SCHEMA \"{schema}\" TO {quoted}"));
    }
    let lacks = !grants.is_empty();
    Ok(lacks.then(|| PostgresError::Rights { schema: schema.to_owned(), role, grants: grants.join("; ") }))
}

/// Asks for each right that the role does not have on what is there.
fn question(schema: &str) -> String {
    let each = RIGHTS.iter().enumerate().flat_map(|(place, (kind, name, rights))| {
        rights.iter().map(move |right| {
            let asked = match kind {
                Kind::Table => format!("has_table_privilege(to_regclass('\"{schema}\".{name}'), '{right}')"),
                // `USAGE` or `SELECT` alone answer some of what is asked of a sequence: each is needed.
                Kind::Sequence => format!("has_sequence_privilege(to_regclass('\"{schema}\".{name}'), '{right}')"),
                Kind::Function => format!("has_function_privilege(to_regprocedure('\"{schema}\".{name}'), '{right}')"),
            };
            // What is not there is null, and another's trouble: an adopted table may have a sequence of another name.
            format!("({place}, '{}', '{name}', '{right}', {asked})", kind.word())
        })
    });
    let each = each.collect::<Vec<_>>().join(",\n");
    format!(
        "SELECT kind, name, wanted FROM (VALUES {each}) AS w (place, kind, name, wanted, is_given) WHERE NOT is_given ORDER BY place"
    )
}

#[cfg(test)]
mod tests;
