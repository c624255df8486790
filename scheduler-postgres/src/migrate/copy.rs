//! Adopts the predecessor's table beside those who use it: copied in batches, followed by a trigger, and put in its place in a
//! moment.
//!
//! The tables are made in a schema of their own. A trigger of the predecessor's table does there what is done here, and the rows
//! that were there before are copied, a batch a transaction, in the order of their ids. Once all are there the two change places.
//! Nobody waits for longer than a batch takes, or for the lock of the last moment. Given up, it goes on where it was.

use std::time::Duration;

use tokio_postgres::{Client, types::Type};
use tracing::info;

use super::{Failed, LOCK_LIMIT, base, clock, steps};
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

/// Why the table can't be copied, if it can't: whatever is not as the predecessor made it, with nothing of anybody's hung to it, is
/// adopted in its place, where what is hung to it stays.
pub(super) async fn hindrance(client: &Client, schema: &str) -> Result<Option<&'static str>, PostgresError> {
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
        ), false), has_database_privilege(current_database(), 'CREATE')";
    let params = [(&schema as _, Type::NAME), (&OWN_COLUMNS as _, Type::TEXT)];
    let rows = client.query_typed(sql, &params).await?;
    let (is_plain, may_make_schemas): (bool, bool) = (rows[0].try_get(0)?, rows[0].try_get(1)?);
    Ok(match Place::of(schema).workshop_is(client).await? {
        _ if !is_plain => Some("something that the predecessor did not make is hung to it"),
        Workshop::Anothers => Some("the schema in which it would be copied is somebody else's"),
        Workshop::Absent if !may_make_schemas => Some("the role may make no schema in the database to copy it in"),
        Workshop::Absent | Workshop::Begun => None,
    })
}

/// Adopts the table, of which there are about so many rows.
pub(super) async fn adopt(client: &mut Client, schema: &str, rows: i64) -> Result<(), Failed> {
    let place = Place::of(schema);
    client.batch_execute("SET statement_timeout = 0").await.map_err(PostgresError::from)?;
    let began = clock(client).await?;
    place.prepare(client).await?;
    place.follow(client).await?;
    let copied = place.copy(client, rows).await?;
    place.compare(client).await?;
    let locked_ms = place.change_over(client).await?;
    let took_ms = clock(client).await? - began;
    info!(schema, rows = copied, took_ms, locked_ms, "the predecessor's table is adopted");
    Ok(())
}

/// Takes away what an adoption left that another version of the code overtook.
pub(super) async fn clear(client: &Client, schema: &str) -> Result<(), PostgresError> {
    let place = Place::of(schema);
    if place.workshop_is(client).await? == Workshop::Begun {
        let limit = LOCK_LIMIT.as_millis();
        client
            .batch_execute(&place.fill(&format!(
                "SET lock_timeout = {limit}; SET client_min_messages = warning; DROP SCHEMA {{workshop}} CASCADE;
                 RESET client_min_messages; RESET lock_timeout"
            )))
            .await?;
    }
    Ok(())
}

/// Where the predecessor's table is, and the schema in which its successor is made.
struct Place {
    schema: String,
    workshop: String,
}

/// What there is under the workshop's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Workshop {
    Absent,
    /// An adoption of this schema's table was begun there.
    Begun,
    /// A schema of somebody's own, or the workshop of another schema: nothing in it is touched.
    Anothers,
}

impl Place {
    fn of(schema: &str) -> Self {
        // A name has 63 bytes at most. Two that begin alike are told apart by what is noted inside.
        let kept: String = schema.chars().take(50).collect();
        Self { schema: schema.to_owned(), workshop: format!("{kept}_adoption") }
    }

    fn fill(&self, sql: &str) -> String {
        sql.replace("{schema}", &format!("\"{}\"", self.schema))
            .replace("{workshop}", &format!("\"{}\"", self.workshop))
    }

    async fn number(&self, client: &Client, sql: &str) -> Result<i64, PostgresError> {
        Ok(client.query_typed(&self.fill(sql), &[]).await?[0].try_get(0)?)
    }

    async fn workshop_is(&self, client: &Client) -> Result<Workshop, PostgresError> {
        let there = "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1), to_regclass($2) IS NOT NULL";
        let note = self.fill("{workshop}.scheduler_adoption");
        let there = client.query_typed(there, &[(&self.workshop, Type::NAME), (&note, Type::TEXT)]).await?;
        if there[0].try_get::<_, i64>(0)? == 0 {
            return Ok(Workshop::Absent);
        }
        if !there[0].try_get::<_, bool>(1)? {
            return Ok(Workshop::Anothers);
        }
        let of = client.query_typed(&format!("SELECT of_schema FROM {note}"), &[]).await?;
        let is_ours = of.first().is_some_and(|row| row.try_get::<_, &str>(0).is_ok_and(|of| of == self.schema));
        Ok(if is_ours { Workshop::Begun } else { Workshop::Anothers })
    }

    /// Makes the tables, empty, in the workshop, unless they are there.
    async fn prepare(&self, client: &mut Client) -> Result<(), Failed> {
        let path = self.fill("SET search_path TO {workshop}, pg_temp");
        if self.workshop_is(client).await? == Workshop::Absent {
            let transaction = client.transaction().await.map_err(PostgresError::from)?;
            let make = self.fill(&format!("CREATE SCHEMA {{workshop}}; {path}"));
            transaction.batch_execute(&make).await.map_err(PostgresError::from)?;
            base::apply(&transaction).await?;
            // Whose adoption this is, and up to which id it has come: for whoever goes on after this one.
            let note = format!(
                "CREATE TABLE scheduler_adoption (of_schema TEXT NOT NULL, copied_to BIGINT NOT NULL);
                 INSERT INTO scheduler_adoption VALUES ('{}', -9223372036854775808)",
                self.schema
            );
            transaction.batch_execute(&note).await.map_err(PostgresError::from)?;
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
                       WHERE (o.job_id, o.started_at, o.finished_at, o.duration_seconds, o.success, o.message, o.error_trace,
                              o.result_data::text, o.created_at, o.updated_at)
                             IS DISTINCT FROM
                             (n.job_id, n.started_at, n.finished_at, n.duration_seconds, n.success, n.message, n.error_trace,
                              n.result_data::text, n.created_at, n.updated_at)";
        match self.number(client, missing).await? {
            0 => Ok(()),
            rows => Err(format!(
                "{rows} rows of `job_executions` were not copied as they are: `DROP SCHEMA \"{}\" CASCADE` lets the next try begin anew",
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
        let began = clock(&transaction).await?;
        transaction.batch_execute(&self.fill(include_str!("change_over.sql"))).await?;
        let took_ms = clock(&transaction).await? - began;
        transaction.commit().await?;
        Ok(took_ms)
    }
}
