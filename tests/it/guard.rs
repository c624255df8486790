//! A body's own transaction, guarded by its execution (R7).

use std::time::Duration;

use scheduler::{
    RunningScheduler, Scheduler, TriggerRequest,
    execution::Execution,
    identity::JobId,
    job::Job,
    postgres::{Guard as _, GuardError, PostgresStore},
    prelude::JobContext,
    status::Status,
};
use scheduler_tests::Database;
use tokio::sync::mpsc;

const LEASE: Duration = Duration::from_secs(2);

/// A scheduler of one job whose body writes `written` in a guarded transaction once it is told to, and tells what came
/// of it.
struct Scene {
    database: Database,
    scheduler: RunningScheduler,
    started: mpsc::UnboundedReceiver<()>,
    go_on: mpsc::UnboundedSender<Duration>,
    guarded: mpsc::UnboundedReceiver<Result<(), GuardError>>,
}

impl Scene {
    async fn new() -> Self {
        let database = Database::create().await;
        database.client.batch_execute("CREATE TABLE written (fence BIGINT)").await.expect("made");
        let (start, started) = mpsc::unbounded_channel();
        let (go_on, gate) = mpsc::unbounded_channel::<Duration>();
        let (guard, guarded) = mpsc::unbounded_channel();
        let gate = std::sync::Arc::new(tokio::sync::Mutex::new(gate));
        let url = database.url();
        let job = Job::builder("writer").manual().retries(0).lease_ttl(LEASE);
        let job = job.on_lost_lease(scheduler::job::OnLostLease::Ignore).run(move |context: JobContext| {
            let (start, gate, guard, url) = (start.clone(), gate.clone(), guard.clone(), url.clone());
            async move {
                start.send(()).expect("the test listens");
                let lasts = gate.lock().await.recv().await.expect("the test tells");
                let (mut client, connection) =
                    tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("the server answers");
                tokio::spawn(connection);
                let transaction = client.transaction().await.expect("begun");
                let outcome = context.guard(&transaction).await;
                if outcome.is_ok() {
                    let fence = context.fencing_token().0;
                    transaction.execute("INSERT INTO written VALUES ($1)", &[&fence]).await.expect("written");
                    tokio::time::sleep(lasts).await;
                    transaction.commit().await.expect("committed");
                }
                guard.send(outcome).expect("the test listens");
                if context.cancellation_token().is_cancelled() { "disturbed" } else { "undisturbed" }
            }
        });
        let store = PostgresStore::connect(&database.url()).await.expect("the database answers");
        let scheduler = Scheduler::builder(store).jobs([job]).build().expect("a valid job").start().await;
        Self { database, scheduler: scheduler.expect("the store answers"), started, go_on, guarded }
    }

    /// Triggers the job, and waits until its body runs.
    async fn run(&mut self) -> Execution {
        let request = TriggerRequest::new(JobId::parse("writer").expect("valid"));
        let row = self.scheduler.handle().trigger(request).await.expect("accepted").execution;
        self.started.recv().await.expect("it runs");
        row
    }

    /// Lets the body write, in a transaction that lasts for this long.
    async fn write(&mut self, lasts: Duration) -> Result<(), GuardError> {
        self.go_on.send(lasts).expect("the body waits");
        self.guarded.recv().await.expect("it tells")
    }

    async fn ended(&self, row: &Execution) -> Execution {
        let end = self.scheduler.handle().wait(&row.job_id, &row.occurrence, Duration::from_secs(30)).await;
        end.expect("the store answers").expect("the row is there")
    }

    async fn close(self) {
        self.scheduler.shutdown(Duration::from_secs(5)).await;
        self.database.drop().await;
    }
}

/// R7: a guard holds up no renewal.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_guarded_transaction_costs_its_execution_no_lease() {
    let mut scene = Scene::new().await;
    let row = scene.run().await;
    scene.write(3 * LEASE).await.expect("it is its own");
    let ended = scene.ended(&row).await;
    assert_eq!((ended.status, ended.message.as_deref(), ended.late), (Status::Succeeded, Some("undisturbed"), false));
    assert_eq!(scene.database.number("SELECT count(*) FROM written").await, 1);
    scene.close().await;
}

/// R7: a guard fails once the execution is another's.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_whose_execution_was_given_up_writes_nothing() {
    let mut scene = Scene::new().await;
    scene.run().await;
    // What recovery does when a lease has expired, as after a pause of the whole process.
    let give_up = "WITH gone AS (DELETE FROM execution_leases)
                   UPDATE job_executions SET status = 'abandoned', holds_key = false WHERE status = 'running'";
    scene.database.client.batch_execute(give_up).await.expect("given up");
    let refused = scene.write(Duration::ZERO).await.expect_err("it is not its own any more");
    assert!(matches!(refused, GuardError::Lost { .. }), "{refused}");
    assert_eq!(scene.database.number("SELECT count(*) FROM written").await, 0);
    scene.close().await;
}

/// R7: a guard fails without a living lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_a_living_lease_writes_nothing() {
    let mut scene = Scene::new().await;
    scene.run().await;
    scene.database.client.batch_execute("DELETE FROM execution_leases").await.expect("deleted");
    let refused = scene.write(Duration::ZERO).await.expect_err("recovery may be at it");
    assert!(matches!(refused, GuardError::Lost { .. }), "{refused}");
    assert_eq!(scene.database.number("SELECT count(*) FROM written").await, 0);
    scene.close().await;
}
