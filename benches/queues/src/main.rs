//! How many jobs a second queues on PostgreSQL run that were queued before: `queue-peers apalis-postgres|graphile-worker N`,
//! with an empty database in `DATABASE_URL`. The answer is a line of JSON.

use std::{
    env,
    error::Error,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// How long the jobs may take before the rest of them is left.
const LONGEST: Duration = Duration::from_secs(60);

/// How many jobs are queued in one call.
const BATCH: usize = 1_000;

static DONE: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Empty {
    id: u64,
}

impl graphile_worker::TaskHandler for Empty {
    const IDENTIFIER: &'static str = "empty";

    async fn run(self, _: graphile_worker::WorkerContext) -> impl graphile_worker::IntoTaskHandlerResult {
        DONE.fetch_add(1, Relaxed);
        Ok::<(), String>(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [peer, count] = arguments.as_slice() else { return Err("usage: queue-peers PEER N".into()) };
    let (count, url) = (count.parse()?, env::var("DATABASE_URL")?);
    match peer.as_str() {
        "apalis-postgres" => apalis_postgres(count, &url).await,
        "graphile-worker" => graphile(count, &url).await,
        other => Err(format!("unknown peer `{other}`").into()),
    }
}

async fn apalis_postgres(count: u64, url: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    use apalis::prelude::*;
    use apalis_postgres::{Config, PgPool, PostgresStorage};

    async fn handle(_: Empty) -> Result<(), BoxDynError> {
        DONE.fetch_add(1, Relaxed);
        Ok(())
    }

    let pool = PgPool::connect(url).await?;
    PostgresStorage::setup(&pool).await?;
    let mut storage = PostgresStorage::new(&pool).with_config(Config::default().queue("empty").batch_size(100));
    for ids in batches(count) {
        storage.push_bulk(ids.into_iter().map(|id| Empty { id }).collect()).await?;
    }
    let worker = WorkerBuilder::new("worker").backend(storage).parallelize(tokio::spawn).build(handle);
    // Its future is too particular for `tokio::spawn`.
    tokio::select! {
        ended = worker.run() => ended?,
        () = measure(count) => {}
    }
    Ok(())
}

async fn graphile(count: u64, url: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    use graphile_worker::{JobSpec, LocalQueueConfig, RawJobSpec, WorkerOptions};

    let worker = WorkerOptions::default()
        .database_url(url)
        .schema("graphile_worker")
        .concurrency(100)
        .poll_interval(Duration::from_millis(100))
        .define_job::<Empty>()
        .complete_job_batch_delay(Duration::from_millis(5))
        .local_queue(LocalQueueConfig::default().with_size(1_000))
        .init()
        .await?;
    let utils = worker.create_utils();
    for ids in batches(count) {
        let job = |id| RawJobSpec {
            identifier: "empty".into(),
            payload: serde_json::json!({ "id": id }),
            spec: JobSpec::default(),
        };
        utils.add_raw_jobs(&ids.into_iter().map(job).collect::<Vec<_>>()).await?;
    }
    tokio::spawn(async move { worker.run().await.map_err(|error| eprintln!("{error}")) });
    measure(count).await;
    Ok(())
}

fn batches(count: u64) -> Vec<Vec<u64>> {
    (0..count).collect::<Vec<_>>().chunks(BATCH).map(<[u64]>::to_vec).collect()
}

/// Waits until all have run, prints what that took, and ends the process: its workers are not waited for.
async fn measure(count: u64) {
    let (begin, cpu) = (time(ClockId::Monotonic), time(ClockId::ProcessCPUTime));
    while DONE.load(Relaxed) < count && time(ClockId::Monotonic) - begin < LONGEST {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (took, cpu) = (time(ClockId::Monotonic) - begin, time(ClockId::ProcessCPUTime) - cpu);
    let done = DONE.load(Relaxed);
    let answer = serde_json::json!({
        "done": done,
        "per_second": done as f64 / took.as_secs_f64(),
        "client_us": cpu.as_secs_f64() * 1e6 / done.max(1) as f64,
    });
    println!("{answer}");
    // What completes in batches has its time to be written.
    tokio::time::sleep(Duration::from_millis(200)).await;
    std::process::exit(0);
}

fn time(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).expect("a clock that only grows")
}
