//! What the lock backend on Redis costs: a batch of 1,000 keys, and 64 tasks that each take a lease and give it up, beside 64 tasks that
//! do no more than `SET NX PX` and `DEL` on one connection.
//!
//! `cargo xtask bench locks`. The two loops take turns, so that whatever else the machine does meets both; the last column is the median
//! of the rounds' ratios. In a batch that is granted every key is written, in one that is refused none is.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures by the clock, and prints")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta};
use redis::aio::MultiplexedConnection;
use scheduler::{
    identity::{InstanceId, JobId},
    lock::{AcquireRequest, Acquired, LockBackend, LockLease, LockMode, LockOccurrence},
    redis::RedisLocks,
};
use scheduler_benches::{Table, median, quantile};

/// As many as the goal is stated for.
const TASKS: u32 = 64;

/// How often each task takes its key and gives it up in a round.
const PAIRS: u32 = 2_000;

/// How often the two loops take turns.
const TURNS: u32 = 7;

/// The size of a batch, and how many of each kind are asked for.
const BATCH: u32 = 1_000;
const BATCHES: u32 = 300;

const LIFE: Duration = Duration::from_secs(30);
const LEASE: LockMode = LockMode::Lease { ttl: LIFE, exclusive: true };

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = scheduler_tests::server("REDIS_URL");
    let namespace = format!("bench:{}", InstanceId::random());
    let locks = RedisLocks::connect(&url).await?.with_namespace(&namespace)?.attach();
    let raw = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    println!("{}\n{}", pairs(&locks, &raw, &namespace).await, batches(&*locks).await);
    clear(raw, &namespace).await;
    Ok(())
}

/// Both loops in turn, in pairs a second.
async fn pairs(locks: &Arc<dyn LockBackend>, raw: &MultiplexedConnection, namespace: &str) -> Table {
    let mut table = Table::new(&["64 tasks, pairs a second", "acquire and release", "SET NX PX and DEL", "ratio"]);
    let mut rounds = Vec::new();
    for turn in 0..TURNS {
        let theirs = by_all_tasks(|task| set_and_delete(raw.clone(), format!("{namespace}:raw-{task}"))).await;
        let ours = by_all_tasks(|task| acquire_and_release(Arc::clone(locks), task, turn * PAIRS)).await;
        // The first warms both up.
        if turn > 0 {
            rounds.push((ours, theirs));
        }
    }
    table.row([
        "median".to_owned(),
        format!("{:.0}", median(rounds.iter().map(|(ours, _)| *ours).collect())),
        format!("{:.0}", median(rounds.iter().map(|(_, theirs)| *theirs).collect())),
        format!("{:.2}", median(rounds.iter().map(|(ours, theirs)| ours / theirs).collect())),
    ]);
    table
}

/// How many pairs a second all tasks do together.
async fn by_all_tasks<F: Future<Output = ()> + Send + 'static>(task: impl Fn(u32) -> F) -> f64 {
    let start = Instant::now();
    let tasks: Vec<_> = (0..TASKS).map(|number| tokio::spawn(task(number))).collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    f64::from(TASKS * PAIRS) / start.elapsed().as_secs_f64()
}

async fn acquire_and_release(locks: Arc<dyn LockBackend>, task: u32, first: u32) {
    let owner = InstanceId::random();
    for number in first..first + PAIRS {
        let answers = locks.acquire(&[request(owner, task, number, LEASE)]).await.expect("the server answers");
        for lease in leases(answers) {
            assert!(locks.release(&lease).await.expect("the server answers"), "the lease was just granted");
        }
    }
}

async fn set_and_delete(mut connection: MultiplexedConnection, key: String) {
    let owner = InstanceId::random().to_string();
    let life = LIFE.as_secs() * 1_000;
    for _ in 0..PAIRS {
        let mut set = redis::cmd("SET");
        set.arg(&key).arg(&owner).arg("NX").arg("PX").arg(life);
        let () = set.query_async(&mut connection).await.expect("the key is free");
        let gone: u32 = redis::cmd("DEL").arg(&key).query_async(&mut connection).await.expect("the server answers");
        assert_eq!(gone, 1);
    }
}

/// How long one call takes for a batch that is granted, and for the same by another instance.
async fn batches(locks: &dyn LockBackend) -> Table {
    let mut table = Table::new(&["a batch of 1,000 keys", "granted, p50 ms", "p99", "refused, p50 ms", "p99"]);
    for (name, mode) in [("filter", LockMode::Filter), ("lease", LEASE)] {
        let mut times = [Vec::new(), Vec::new()];
        for number in 0..BATCHES {
            for (times, is_granted) in times.iter_mut().zip([true, false]) {
                let owner = InstanceId::random();
                let number = number + if mode == LEASE { BATCHES } else { 0 };
                let batch: Vec<_> = (0..BATCH).map(|job| request(owner, TASKS + job, number, mode)).collect();
                let start = Instant::now();
                let answers = locks.acquire(&batch).await.expect("the server answers");
                times.push(start.elapsed().as_secs_f64() * 1_000.0);
                assert!(answers.iter().all(|answer| matches!(answer, Acquired::Granted(_)) == is_granted));
                // Their refusal is that of the cursor; a lease that lives would refuse the next round.
                for lease in leases(answers) {
                    assert!(locks.release(&lease).await.expect("the server answers"));
                }
            }
        }
        for times in &mut times {
            times.sort_by(f64::total_cmp);
        }
        let cells = times.iter().flat_map(|times| [0.5, 0.99].map(|at| format!("{:.1}", quantile(times, at))));
        table.row([name.to_owned()].into_iter().chain(cells));
    }
    table
}

fn request(owner: InstanceId, job: u32, number: u32, mode: LockMode) -> AcquireRequest {
    let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::from(number));
    AcquireRequest {
        job_id: JobId::parse(&format!("job-{job}")).expect("a valid id"),
        owner,
        occurrence: Some(LockOccurrence { scheduled_at: at, not_before: at }),
        mode,
    }
}

fn leases(answers: Vec<Acquired>) -> impl Iterator<Item = LockLease> {
    answers.into_iter().filter_map(|answer| match answer {
        Acquired::Granted(lease) => lease,
        _ => None,
    })
}

/// Leaves nothing behind.
async fn clear(mut connection: MultiplexedConnection, namespace: &str) {
    let mut delete = redis::cmd("DEL");
    for job in 0..TASKS + BATCH {
        delete.arg(format!("{namespace}:job-{job}"));
    }
    let _: u32 = delete.query_async(&mut connection).await.expect("the server answers");
}
