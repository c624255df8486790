//! What PostgreSQL itself needs for the same rows: plain statements of a thousand rows, and nothing around them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler::{
    clock::{Clock as _, SystemClock},
    postgres::PostgresStore,
};
use scheduler_benches::{Usage, wall_clock};
use scheduler_tests::{Database, connect};
use tokio_postgres::Client;

use crate::{costs::Costs, instance::job_id, server::Server};

/// How many rows a commit has.
const BATCH: u32 = 1_000;

/// How long rows are written.
const TAKES: Duration = Duration::from_secs(10);

/// Tables with the same columns, constraints and indexes as the migrated ones.
const TABLES: &str = "
    CREATE TABLE floor_executions (LIKE job_executions INCLUDING ALL);
    CREATE TABLE floor_leases (LIKE execution_leases INCLUDING ALL);
    CREATE SEQUENCE floor_fences";

/// Rows as `running`, with their leases.
const START: &str = "
    WITH started AS (
        INSERT INTO floor_executions
            (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, started_at,
             holds_key, claim_id, fence, instance_id, created_at)
        SELECT job_id, $2, 1, 4, 'schedule', 'running', $3, $3, clock_timestamp(), true, gen_random_uuid(),
               nextval('floor_fences'), '6f1f3f7e-0000-4000-8000-000000000001', clock_timestamp()
        FROM unnest($1::text[]) AS job_id
        RETURNING id, fence
    )
    INSERT INTO floor_leases (execution_id, instance_id, fence, expires_at, ttl_ms, rerun_on_crash)
    SELECT id, '6f1f3f7e-0000-4000-8000-000000000001', fence, clock_timestamp() + interval '30 seconds', 30000, false
    FROM started
    RETURNING execution_id";

/// Their outcomes, and no leases any more.
const END: &str = "
    WITH released AS (DELETE FROM floor_leases WHERE execution_id = ANY ($1::bigint[]))
    UPDATE floor_executions
    SET status = 'succeeded', success = true, finished_at = clock_timestamp(), duration_seconds = 0.001,
        holds_key = false, updated_at = clock_timestamp()
    WHERE id = ANY ($1::bigint[])";

/// Rows written before and after, by this many connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    pub(crate) connections: u32,
    pub(crate) rows_per_second: f64,
    pub(crate) costs: Option<Costs>,
}

impl Floor {
    /// Writes for a while.
    pub(crate) async fn measure(server: &Server, connections: u32) -> Result<Self, String> {
        let database = Database::create().await;
        let measured = Self::write(server, &database, connections).await;
        database.drop().await;
        measured
    }

    async fn write(server: &Server, database: &Database, connections: u32) -> Result<Self, String> {
        PostgresStore::connect(&database.url()).await.map_err(|error| error.to_string())?;
        let refused = |error: tokio_postgres::Error| format!("the floor does not fit the tables: {error:?}");
        database.client.batch_execute(TABLES).await.map_err(refused)?;
        server.settle().await;
        let (begin, cpu, spent) = (wall_clock(), Usage::now().cpu, server.spent(database.name()).await);
        let mut writers = Vec::new();
        for nth in 0..connections {
            let client = connect(&database.url()).await;
            writers.push(tokio::spawn(async move { rounds(&client, nth, begin + TAKES).await }));
        }
        let mut rows = 0;
        for writer in writers {
            rows += writer.await.expect("a writer does not panic").map_err(refused)?;
        }
        let (took, cpu) = (wall_clock() - begin, Usage::now().cpu - cpu);
        // What a connection has counted is told some time after.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let spent = server.spent(database.name()).await.since(spent);
        let rows_per_second = rows as f64 / took.as_secs_f64();
        Ok(Self { connections, rows_per_second, costs: Costs::of(rows, cpu, spent) })
    }
}

/// Writes rounds of rows until a moment; answers how many rows it has ended.
async fn rounds(client: &Client, nth: u32, until: Duration) -> Result<i64, tokio_postgres::Error> {
    let jobs: Vec<String> = (nth * BATCH..(nth + 1) * BATCH).map(job_id).collect();
    let (start, end) = (client.prepare(START).await?, client.prepare(END).await?);
    let mut ended = 0;
    for round in 0.. {
        if wall_clock() >= until {
            break;
        }
        let scheduled_at: DateTime<Utc> = SystemClock.now();
        let rows = client.query(&start, &[&jobs, &format!("s:{round}"), &scheduled_at]).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        ended += i64::try_from(client.execute(&end, &[&ids]).await?).unwrap_or(0);
    }
    Ok(ended)
}
