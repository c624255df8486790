//! What came to the tables after version 8, a step each: older code that can live with a step does not see it, and starts as before.
//!
//! A step stands in a file of its own, is written so that it can be repeated, and is noted in `scheduler_versions` once it is
//! done. Most are a transaction; what would hold up whoever uses the tables stands outside of one.

use std::time::Duration;

use tokio_postgres::{Client, GenericClient, error::SqlState, types::Type};
use tracing::{info, warn};

use super::{LOCK_LIMIT, clock};
use crate::error::PostgresError;

/// How long nothing was heard of instances of an older version before what they need is taken away.
const OLDER_ARE_GONE: Duration = Duration::from_secs(3_600);

/// How long a step that can be done at the next start as well waits for a lock.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In one transaction, which waits for a lock for no longer than [`LOCK_LIMIT`] and is tried again.
    Transaction,
    /// One statement after another, outside of a transaction, each of which lets readers and writers go on.
    Apart,
    /// As [`Way::Apart`], once no older instance lives: it takes away what these read fast by. Until then everything works.
    Belated,
}

/// A step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) version: i32,
    /// From which version on older code works with the tables after it.
    compatible_from: i32,
    pub(super) name: &'static str,
    way: Way,
    sql: &'static str,
}

/// The table in which the steps applied are kept.
pub(super) const TABLE: &str = "scheduler_versions";

/// The steps, in their order.
const STEPS: [Step; 4] = [
    Step {
        version: 9,
        compatible_from: 8,
        name: "the predecessor's writes, and words of other versions",
        way: Way::Transaction,
        sql: include_str!("../../steps/9__other_versions.sql"),
    },
    Step {
        version: 10,
        compatible_from: 8,
        name: "the words of rows are checked",
        way: Way::Apart,
        sql: include_str!("../../steps/10__words.sql"),
    },
    Step {
        version: 11,
        compatible_from: 8,
        name: "lighter rows",
        way: Way::Belated,
        sql: include_str!("../../steps/11__lighter_rows.sql"),
    },
    Step {
        version: 12,
        compatible_from: 8,
        name: "whose the tables are",
        way: Way::Transaction,
        sql: include_str!("../../steps/12__identity.sql"),
    },
];

/// The version that the steps bring a schema to.
pub(super) fn known() -> i32 {
    STEPS.iter().map(|step| step.version).max().unwrap_or(0)
}

/// Every step, in their order.
pub(super) fn all() -> impl Iterator<Item = &'static Step> {
    STEPS.iter()
}

/// The steps that this code can't do without and that were not applied.
pub(super) fn needed(applied: &[i32]) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(|step| step.way != Way::Belated && !applied.contains(&step.version))
}

/// The steps that were not applied and wait for older instances to end.
pub(super) fn belated(applied: &[i32]) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(|step| step.way == Way::Belated && !applied.contains(&step.version))
}

/// Which steps were applied to the schema, and from which version on older code works with each.
pub(super) async fn applied(client: &impl GenericClient, schema: &str) -> Result<Vec<(i32, i32)>, PostgresError> {
    let table = format!("\"{schema}\".{TABLE}");
    let there = client.query_typed("SELECT to_regclass($1) IS NOT NULL", &[(&table, Type::TEXT)]).await?;
    if !there[0].try_get(0)? {
        return Ok(Vec::new());
    }
    let rows = client.query_typed(&format!("SELECT version, compatible_from FROM {table}"), &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// How many instances that know no such version of the tables were heard of lately.
pub(super) async fn older_instances(
    client: &impl GenericClient,
    schema: &str,
    version: i32,
) -> Result<i64, PostgresError> {
    let table = format!("\"{schema}\".instances");
    let there = client.query_typed("SELECT to_regclass($1) IS NOT NULL", &[(&table, Type::TEXT)]).await?;
    if !there[0].try_get(0)? {
        return Ok(0);
    }
    // By the row's JSON: the column may not be there yet.
    let older = format!(
        "SELECT count(*) FROM {table} AS i
         WHERE coalesce((to_jsonb(i) ->> 'tables_version')::integer, 0) < $1
           AND i.seen_at > clock_timestamp() - $2::bigint * interval '1 second'"
    );
    let lately = i64::try_from(OLDER_ARE_GONE.as_secs()).unwrap_or(i64::MAX);
    let older = client.query_typed(&older, &[(&version, Type::INT4), (&lately, Type::INT8)]).await?;
    Ok(older[0].try_get(0)?)
}

impl Step {
    /// What psql runs to do the same, with the search path set to the schema.
    pub(super) fn script(&self) -> String {
        if self.way == Way::Transaction {
            return format!("BEGIN;\n{}\n{};\nCOMMIT;\n", self.sql.trim_end(), self.note());
        }
        let apart = statements(self.sql).map(|statement| match statement.contains(" CONCURRENTLY ") {
            // Such a statement stands in no block.
            true => format!("{statement}\n"),
            // What a hand or a later version wrote stays, and is shown as it is.
            false => format!(
                "DO $step$\nBEGIN\n    {statement}\nEXCEPTION WHEN check_violation THEN\n    \
                 RAISE WARNING 'some rows are not as this version writes them: they are left as they are';\nEND $step$;\n"
            ),
        });
        format!("SET lock_timeout = 0;\n{}{};\n", apart.collect::<String>(), self.note())
    }

    /// Whether it waits for older instances to end.
    pub(super) fn is_belated(&self) -> bool {
        self.way == Way::Belated
    }

    /// Does it, with the search path set to the schema. Answers whether it was done: a belated one may be left for later.
    pub(super) async fn apply(&self, client: &mut Client, schema: &str) -> Result<bool, PostgresError> {
        let began = clock(client).await?;
        let done = match self.way {
            Way::Transaction => self.in_a_transaction(client).await.map(|()| true),
            Way::Apart => self.apart(client, schema, Duration::ZERO).await,
            Way::Belated => self.belatedly(client, schema).await,
        }?;
        if done {
            let took_ms = clock(client).await? - began;
            info!(schema, version = self.version, step = self.name, took_ms, "the scheduler's tables were migrated");
        }
        Ok(done)
    }

    /// Notes that it is done.
    fn note(&self) -> String {
        format!(
            "INSERT INTO scheduler_versions (version, compatible_from, name) VALUES ({}, {}, $name${}$name$)
             ON CONFLICT (version) DO NOTHING",
            self.version, self.compatible_from, self.name
        )
    }

    async fn in_a_transaction(&self, client: &mut Client) -> Result<(), PostgresError> {
        let transaction = client.transaction().await?;
        transaction.batch_execute(&format!("SET LOCAL lock_timeout = {}", LOCK_LIMIT.as_millis())).await?;
        transaction.batch_execute(self.sql).await?;
        transaction.batch_execute(&self.note()).await?;
        Ok(transaction.commit().await?)
    }

    async fn apart(&self, client: &Client, schema: &str, patience: Duration) -> Result<bool, PostgresError> {
        client.batch_execute(&format!("SET lock_timeout = {}", patience.as_millis())).await?;
        for statement in statements(self.sql) {
            match client.batch_execute(statement).await {
                Err(error) if error.code() == Some(&SqlState::CHECK_VIOLATION) => {
                    // What a hand or a later version wrote stays, and is shown as it is.
                    warn!(schema, step = self.name, %error, "some rows are not as this version writes them: they are left as they are");
                }
                Err(error) if !patience.is_zero() && error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                    return Ok(false);
                }
                answer => answer?,
            }
        }
        client.batch_execute(&self.note()).await?;
        Ok(true)
    }

    /// Done where no older instance was heard of for long, and nobody has to be waited for; else left for the next start.
    async fn belatedly(&self, client: &Client, schema: &str) -> Result<bool, PostgresError> {
        let older = older_instances(client, schema, self.version).await?;
        let done = older == 0 && self.apart(client, schema, PATIENCE).await?;
        if !done {
            info!(
                schema,
                step = self.name,
                older_instances = older,
                "a step of the migration waits until nothing was heard of an older instance for an hour, and is tried at the next start"
            );
        }
        Ok(done)
    }
}

/// The statements of a text in which each ends a line with its semicolon, and no other line ends so.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split_inclusive(";\n").map(str::trim).filter(|statement| {
        statement.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with("--"))
    })
}
