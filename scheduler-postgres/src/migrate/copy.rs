//! Adopts the predecessor's table beside those who use it: copied in batches, followed by a trigger, and put in its place in a
//! moment.
//!
//! The tables are made in a schema of their own. A trigger of the predecessor's table does there what is done here, and the rows
//! that were there before are copied, a batch a transaction, in the order of their ids. Once all are there the two change places.
//! Nobody waits for longer than a batch takes, or for the lock of the last moment. Given up, it goes on where it was.

use std::time::Duration;

use tokio_postgres::{Client, types::Type};
use tracing::info;

use super::{Failed, LOCK_LIMIT, base, steps};
use crate::error::PostgresError;

/// The predecessor's columns as its own migrations made them.
const OWN_COLUMNS: &str = "created_at timestamp with time zone, duration_seconds numeric(10,3), error_trace text, \
    finished_at timestamp with time zone, id integer, job_id character varying(100), message text, result_data json, \
    started_at timestamp with time zone, success boolean, updated_at timestamp with time zone";

/// How many rows are copied in the first batch, and how few and how many in a later one.
const FIRST_BATCH: i64 = 2_000;
const BATCHES: std::ops::RangeInclusive<i64> = 200..=50_000;

/// How long a batch should take: whoever changes one of its rows waits for its end.
const BATCH_TIME: Duration = Duration::from_millis(200);

/// How many rows are copied between two reports of how far it is.
const REPORT_EVERY: i64 = 500_000;

/// The schema in which a schema's adoption is prepared.
fn workshop(schema: &str) -> String {
    let kept: String = schema.chars().take(50).collect();
    format!("{kept}_adoption")
}

/// Whether the table is as the predecessor made it, with nothing of anybody's hung to it, and a schema can be made: whatever else
/// stands there is adopted in its place, where what is hung to it stays.
pub(super) async fn is_possible(client: &Client, schema: &str) -> Result<bool, PostgresError> {
    let sql = "
        SELECT coalesce((
            SELECT c.relkind = 'r' AND NOT c.relrowsecurity AND NOT c.relispartition AND NOT c.relhassubclass
               AND (SELECT string_agg(a.attname || ' ' || replace(format_type(a.atttypid, a.atttypmod), 'bigint', 'integer'), ', '
                                      ORDER BY a.attname::text COLLATE \"C\")
                    FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) = $2
               AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgname !~ '^scheduler_adoption')
               AND NOT EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
                               WHERE i.indrelid = c.oid AND NOT i.indisprimary AND x.relname <> 'ix_job_executions_job_id')
               AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL)
               AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid)
               AND NOT EXISTS (SELECT FROM pg_publication_rel AS p WHERE p.prrelid = c.oid)
               AND NOT EXISTS (
                   SELECT FROM pg_depend AS d
                   WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                     AND d.classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_attrdef'::regclass, 'pg_trigger'::regclass)
                     AND NOT (d.classid = 'pg_constraint'::regclass
                              AND (SELECT o.contype IN ('p', 'n') FROM pg_constraint AS o WHERE o.oid = d.objid)))
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = 'job_executions'
        ), false)
        AND (has_database_privilege(current_database(), 'CREATE') OR to_regnamespace($3) IS NOT NULL)";
    let workshop = format!("\"{}\"", workshop(schema));
    let params = [(&schema as _, Type::NAME), (&OWN_COLUMNS as _, Type::TEXT), (&workshop as _, Type::TEXT)];
    Ok(client.query_typed(sql, &params).await?[0].try_get(0)?)
}

/// Adopts the table, of which there are about so many rows.
pub(super) async fn adopt(client: &mut Client, schema: &str, rows: i64) -> Result<(), Failed> {
    let place = Place { schema: schema.to_owned(), workshop: workshop(schema) };
    client.batch_execute("SET statement_timeout = 0").await.map_err(PostgresError::from)?;
    let began = place.number(client, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint").await?;
    place.prepare(client).await?;
    place.follow(client).await?;
    let copied = place.copy(client, rows).await?;
    place.compare(client).await?;
    let locked_ms = place.change_over(client).await?;
    let took = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let took_ms = place.number(client, took).await? - began;
    info!(schema, rows = copied, took_ms, locked_ms, "the predecessor's table is adopted");
    Ok(())
}

/// Takes away what an adoption left that another version of the code overtook.
pub(super) async fn clear(client: &Client, schema: &str) -> Result<(), PostgresError> {
    let left =
        client.query_typed("SELECT FROM pg_namespace WHERE nspname = $1", &[(&workshop(schema), Type::NAME)]).await?;
    if !left.is_empty() {
        let clear = "SET lock_timeout = '500ms'; SET client_min_messages = warning; DROP SCHEMA {workshop} CASCADE; RESET client_min_messages";
        let place = Place { schema: schema.to_owned(), workshop: workshop(schema) };
        client.batch_execute(&place.fill(clear)).await?;
    }
    Ok(())
}

/// Where the predecessor's table is, and where its successor is made.
struct Place {
    schema: String,
    workshop: String,
}

impl Place {
    fn fill(&self, sql: &str) -> String {
        sql.replace("{schema}", &format!("\"{}\"", self.schema))
            .replace("{workshop}", &format!("\"{}\"", self.workshop))
    }

    async fn number(&self, client: &Client, sql: &str) -> Result<i64, PostgresError> {
        Ok(client.query_typed(&self.fill(sql), &[]).await?[0].try_get(0)?)
    }

    /// Makes the tables, empty, in the workshop, unless they are there.
    async fn prepare(&self, client: &mut Client) -> Result<(), Failed> {
        let path = format!("SET search_path TO \"{}\", pg_temp", self.workshop);
        let there = self
            .number(client, "SELECT count(*) FROM pg_namespace WHERE quote_ident(nspname) = trim('{workshop}', '\"')");
        if there.await? == 0 {
            let transaction = client.transaction().await.map_err(PostgresError::from)?;
            let make = format!("CREATE SCHEMA \"{}\"; {path}", self.workshop);
            transaction.batch_execute(&make).await.map_err(PostgresError::from)?;
            base::apply(&transaction).await?;
            // What is copied next: of whoever goes on after this one.
            transaction
                .batch_execute("CREATE TABLE adoption (copied_to BIGINT NOT NULL); INSERT INTO adoption VALUES (-9223372036854775808)")
                .await
                .map_err(PostgresError::from)?;
            transaction.commit().await.map_err(PostgresError::from)?;
        }
        client.batch_execute(&path).await.map_err(PostgresError::from)?;
        let applied: Vec<i32> =
            steps::applied(client, &self.workshop).await?.iter().map(|(version, _)| *version).collect();
        for step in steps::needed(&applied).chain(steps::belated(&applied)) {
            step.apply(client, &self.workshop).await?;
        }
        Ok(())
    }

    /// From here on what is done to the table is done in the workshop too, in the same transaction.
    async fn follow(&self, client: &mut Client) -> Result<(), PostgresError> {
        let there = self.number(
            client,
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = '{schema}.job_executions'::regclass AND tgname = 'scheduler_adoption'",
        );
        if there.await? > 0 {
            return Ok(());
        }
        let transaction = client.transaction().await?;
        transaction.batch_execute(&format!("SET LOCAL lock_timeout = {}", LOCK_LIMIT.as_millis())).await?;
        transaction.batch_execute(&self.fill(include_str!("follow.sql"))).await?;
        Ok(transaction.commit().await?)
    }

    /// Copies what was there before, from where an earlier try ended.
    async fn copy(&self, client: &mut Client, rows: i64) -> Result<i64, PostgresError> {
        let sql = self.fill(include_str!("copy.sql"));
        let limit = BATCH_TIME.as_millis().try_into().unwrap_or(i64::MAX);
        let (mut batch, mut copied, mut told) = (FIRST_BATCH, 0_i64, 0_i64);
        info!(schema = self.schema, rows, "the predecessor's table is copied, while everybody goes on");
        loop {
            let row = client.query_typed(&sql, &[(&batch, Type::INT8)]).await?;
            let (count, took_ms): (i64, i64) = (row[0].try_get("count")?, row[0].try_get("took_ms")?);
            copied += count;
            if copied / REPORT_EVERY > told {
                told = copied / REPORT_EVERY;
                info!(schema = self.schema, copied, rows, "the predecessor's table is copied");
            }
            if count < batch {
                return Ok(copied);
            }
            batch =
                (batch * limit / took_ms.max(1)).clamp(batch / 2, batch * 2).clamp(*BATCHES.start(), *BATCHES.end());
        }
    }

    /// Sees that each row is there before anything goes.
    async fn compare(&self, client: &Client) -> Result<(), Failed> {
        client.batch_execute(&self.fill("ANALYZE {workshop}.job_executions")).await.map_err(PostgresError::from)?;
        let missing = "SELECT count(*) FROM {schema}.job_executions AS o
                       FULL JOIN {workshop}.job_executions AS n USING (id)
                       WHERE o.job_id IS DISTINCT FROM n.job_id OR o.started_at IS DISTINCT FROM n.started_at
                          OR o.finished_at IS DISTINCT FROM n.finished_at OR o.success IS DISTINCT FROM n.success";
        match self.number(client, missing).await? {
            0 => Ok(()),
            rows => Err(format!(
                "{rows} rows of `job_executions` were not copied as they are: drop schema `{}` to begin anew",
                self.workshop
            )
            .into()),
        }
    }

    /// The two change places, and the predecessor's table goes. Answers for how long it was locked, in milliseconds.
    async fn change_over(&self, client: &mut Client) -> Result<i64, PostgresError> {
        let transaction = client.transaction().await?;
        transaction.batch_execute(&format!("SET LOCAL lock_timeout = {}", LOCK_LIMIT.as_millis())).await?;
        transaction.batch_execute(&self.fill("LOCK TABLE {schema}.job_executions IN ACCESS EXCLUSIVE MODE")).await?;
        let began = transaction.query_typed("SELECT clock_timestamp()::text", &[]).await?;
        let began: String = began[0].try_get(0)?;
        transaction.batch_execute(&self.fill(include_str!("change_over.sql"))).await?;
        let took = "SELECT ceil(extract(epoch FROM clock_timestamp() - $1::text::timestamptz) * 1000)::bigint";
        let took = transaction.query_typed(took, &[(&began, Type::TEXT)]).await?;
        transaction.commit().await?;
        Ok(took[0].try_get(0)?)
    }
}
