//! Leases live on connections of their own (R3, R25).

use std::time::Duration;

use scheduler::{Scheduler, TriggerRequest, identity::JobId, job::Job, postgres::PostgresStore, prelude::JobContext};
use scheduler_tests::Database;
use tokio::sync::mpsc;

const LEASE: Duration = Duration::from_secs(2);

/// R3: leases have a table of their own.
///
/// A table lock on the executions lets every claim, take and look wait, with the one connection that they have; the
/// renewals of what runs go on beside them.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_table_of_executions_costs_no_run_its_lease() {
    let database = Database::create().await;
    let (started, mut starts) = mpsc::unbounded_channel();
    let job = Job::builder("long").manual().lease_ttl(LEASE).run(move |context: JobContext| {
        let started = started.clone();
        async move {
            started.send(()).expect("the test listens");
            tokio::select! {
                () = context.cancellation_token().cancelled() => "disturbed",
                () = tokio::time::sleep(3 * LEASE) => "undisturbed",
            }
        }
    });
    let store = PostgresStore::connect(&database.url()).await.expect("the database answers").with_pool_size(1);
    let scheduler = Scheduler::builder(store).jobs([job]).build().expect("a valid job").start().await;
    let scheduler = scheduler.expect("the store answers");
    let request = TriggerRequest::new(JobId::parse("long").expect("valid"));
    let row = scheduler.handle().trigger(request).await.expect("accepted").execution;
    starts.recv().await.expect("it runs");

    let lock = "BEGIN; LOCK TABLE job_executions IN ACCESS EXCLUSIVE MODE";
    database.client.batch_execute(lock).await.expect("locked");
    tokio::time::sleep(2 * LEASE).await;
    database.client.batch_execute("COMMIT").await.expect("let go");

    let ended = scheduler.handle().wait(&row.job_id, &row.occurrence, Duration::from_secs(30)).await;
    let ended = ended.expect("the store answers").expect("the row is there");
    assert_eq!(ended.message.as_deref(), Some("undisturbed"), "{ended:?}");
    scheduler.shutdown(Duration::from_secs(5)).await;
    database.drop().await;
}
