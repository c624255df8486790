//! How many keys a second one connection is granted: `cargo run --release -p scheduler-redis --example throughput`.

#![expect(clippy::print_stdout, reason = "it prints its result")]
#![expect(clippy::disallowed_methods, reason = "it measures by the machine's clock")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta};
use scheduler_core::{
    identity::{InstanceId, JobId},
    lock::{AcquireRequest, Acquired, LockBackend, LockMode, LockOccurrence},
};
use scheduler_redis::RedisLocks;

/// As many as the goal is stated for.
const TASKS: u32 = 64;
/// How often each task asks.
const ROUNDS: u32 = 3_000;
/// The size of a batch, where occurrences are due together.
const BATCH: u32 = 1_000;

const LEASE: LockMode = LockMode::Lease { ttl: Duration::from_secs(30), exclusive: true };

fn request(task: u32, round: u32, mode: LockMode) -> AcquireRequest {
    let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::from(round));
    AcquireRequest {
        job_id: JobId::parse(&format!("job-{task}")).expect("a valid id"),
        owner: InstanceId::random(),
        occurrence: Some(LockOccurrence { scheduled_at: at, not_before: at }),
        mode,
    }
}

/// What one task does in one round.
async fn ask(locks: &dyn LockBackend, request: AcquireRequest) {
    let mut answers = locks.acquire(&[request]).await.expect("the server answers");
    match answers.pop() {
        Some(Acquired::Granted(None)) => {}
        Some(Acquired::Granted(Some(lease))) => {
            assert!(locks.release(&lease).await.expect("the server answers"), "the lease was just granted");
        }
        other => panic!("not granted: {other:?}"),
    }
}

async fn measure(locks: &Arc<dyn LockBackend>, name: &str, first_round: u32, mode: LockMode) {
    let start = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let locks = Arc::clone(locks);
            tokio::spawn(async move {
                for round in first_round..first_round + ROUNDS {
                    ask(&*locks, request(task, round, mode)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    let a_second = f64::from(TASKS * ROUNDS) / start.elapsed().as_secs_f64();
    println!("{name:<34} {a_second:>9.0} a second");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("REDIS_URL").map_err(|_| "REDIS_URL is not set: run `cargo xtask services up`")?;
    let namespace = format!("bench:{}", InstanceId::random());
    let locks = RedisLocks::connect(&url).await?.with_namespace(&namespace)?.attach();
    measure(&locks, "filter, 64 tasks", 0, LockMode::Filter).await;
    measure(&locks, "acquire and release, 64 tasks", ROUNDS, LEASE).await;

    let mut took = Duration::ZERO;
    for round in 0..20 {
        let batch: Vec<_> = (0..BATCH).map(|task| request(task, 2 * ROUNDS + round, LockMode::Filter)).collect();
        let start = Instant::now();
        let answers = locks.acquire(&batch).await?;
        took += start.elapsed();
        assert!(answers.iter().all(|answer| *answer == Acquired::Granted(None)), "every job is new");
    }
    println!("{:<34} {:>9.2} ms", "a batch of 1,000, in one trip", took.as_secs_f64() * 1_000.0 / 20.0);
    Ok(())
}
