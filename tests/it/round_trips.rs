//! What a warm, short, successful execution costs: one trip to Redis, two to PostgreSQL.

use std::time::Duration;

use scheduler::{Scheduler, job::Job, postgres::PostgresStore, redis::RedisLocks};
use scheduler_tests::{Database, Proxy, server};
use tokio::sync::mpsc;

/// How many executions are looked at, once the first have warmed everything up.
const EXECUTIONS: usize = 12;
const WARM_UP: usize = 3;

/// Trips are counted from just before an occurrence is due until its outcome is seen, by a connection that is not
/// counted. The cheapest execution is what one costs: a duty that falls into a window (a heartbeat, a look at what
/// waits) only adds to it, and several windows are without any.
#[tokio::test(flavor = "multi_thread")]
async fn an_execution_costs_one_trip_to_redis_and_two_to_postgres() {
    let database = Database::create().await;
    let (postgres, database_url) = Proxy::in_front_of(&database.url()).await;
    let (redis, redis_url) = Proxy::in_front_of(&server("REDIS_URL")).await;
    let (started, mut starts) = mpsc::unbounded_channel();
    let job = Job::builder("each_second").cron("* * * * * *").run(move || {
        let started = started.clone();
        async move { started.send(()).expect("the test listens") }
    });
    let store = PostgresStore::connect(&database_url).await.expect("the database answers");
    let locks = RedisLocks::connect(&redis_url).await.expect("Redis answers").with_namespace(database.name());
    let scheduler = Scheduler::builder(store).lock_backend(locks.expect("a valid namespace")).jobs([job]).build();
    let scheduler = scheduler.expect("a valid job").start().await.expect("both answer");

    let succeeded = "SELECT count(*) FROM job_executions WHERE status = 'succeeded'";
    let mut costs = Vec::new();
    for execution in 0..WARM_UP + EXECUTIONS {
        // Between two executions, well before the next is due.
        tokio::time::sleep(until_shortly_before_a_second()).await;
        let done = database.number(succeeded).await;
        while starts.try_recv().is_ok() {}
        let before = (redis.trips(), postgres.trips());
        starts.recv().await.expect("the job runs each second");
        while database.number(succeeded).await == done {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if execution >= WARM_UP {
            costs.push((redis.trips() - before.0, postgres.trips() - before.1));
        }
    }
    scheduler.shutdown(Duration::from_secs(5)).await;
    database.drop().await;

    let to_redis = costs.iter().map(|(redis, _)| *redis).min();
    let to_postgres = costs.iter().map(|(_, postgres)| *postgres).min();
    assert_eq!(
        (to_redis, to_postgres),
        (Some(1), Some(2)),
        "trips to Redis and PostgreSQL; of each execution: {costs:?}"
    );
}

fn until_shortly_before_a_second() -> Duration {
    /// How long before it is due an execution's window opens.
    const LEAD: Duration = Duration::from_millis(100);
    let into = Duration::from_nanos(u64::from(chrono::Timelike::nanosecond(&now())) % 1_000_000_000);
    (Duration::from_secs(2) - into - LEAD)
        .as_nanos()
        .try_into()
        .map_or(LEAD, |left: u64| Duration::from_nanos(left % 1_000_000_000))
}

fn now() -> chrono::DateTime<chrono::Utc> {
    use scheduler::clock::{Clock as _, SystemClock};
    SystemClock.now()
}
