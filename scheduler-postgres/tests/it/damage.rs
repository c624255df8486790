//! What an operator, a restore or a lost right does to the tables of a scheduler that runs.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use scheduler_core::{
    RunningScheduler, Scheduler, SchedulerHandle, TriggerRequest,
    context::JobContext,
    event::{Backend, Event},
    execution::Execution,
    identity::JobId,
    job::{Job, OverlapPolicy},
    status::Status,
    store::{ExecutionFilter, ExecutionQuery, HistoryStore as _, PageStart, StoreError},
    testing::{LedgerJob, check_ledger},
};
use scheduler_postgres::PostgresStore;
use tokio::sync::broadcast::Receiver;
use tokio_postgres::Client;

use crate::server::{Schema, client};

const SECOND: Duration = Duration::from_secs(1);

fn id(job: &str) -> JobId {
    JobId::parse(job).expect("valid")
}

fn each_second(job: &str) -> Job {
    Job::builder(job).every(SECOND).run(|| async { "done" })
}

/// A job on request that runs until it is told to stop.
fn endless() -> Job {
    Job::builder("endless").manual().retries(0).lease_ttl(2 * SECOND).run(|context: JobContext| async move {
        context.cancellation_token().cancelled().await;
        "told"
    })
}

async fn run(store: PostgresStore, jobs: impl IntoIterator<Item = Job>) -> (RunningScheduler, Receiver<Event>) {
    let scheduler = Scheduler::builder(store).jobs(jobs).build().expect("valid jobs");
    let scheduler = scheduler.start().await.expect("the store answers");
    let events = scheduler.handle().events();
    (scheduler, events)
}

/// Waits until this has been told so many times.
async fn told(events: &mut Receiver<Event>, times: usize, fits: impl Fn(&Event) -> bool) {
    let wait = async {
        let mut seen = 0;
        while seen < times {
            seen += usize::from(fits(&events.recv().await.expect("the scheduler lives and tells little")));
        }
    };
    tokio::time::timeout(60 * SECOND, wait).await.expect("it is told within a minute");
}

fn succeeded(job: &str) -> impl Fn(&Event) -> bool {
    let job = id(job);
    move |event| matches!(event, Event::Finished { job_id, status: Status::Succeeded, .. } if *job_id == job)
}

async fn rows(handle: &SchedulerHandle, job: &str) -> Result<Vec<Execution>, StoreError> {
    let filter = ExecutionFilter { job_id: Some(id(job)), ..ExecutionFilter::default() };
    let query = ExecutionQuery { filter, start: PageStart::Offset(0), limit: 10_000, count: false };
    Ok(handle.executions(&query).await?.executions)
}

/// Holds the rows from the first to the last that ended against the job's trigger.
async fn nothing_is_missing(handle: &SchedulerHandle, job: &Job) {
    let rows = rows(handle, job.settings().id.as_str()).await.expect("they can be read");
    let ends = rows.iter().filter(|row| row.status.is_final()).map(|row| row.scheduled_at);
    let (after, until) = (ends.clone().min().expect("one ended"), ends.max().expect("one ended"));
    let ledger = LedgerJob { settings: Arc::clone(job.settings()), after, until };
    assert!(until - after > chrono::TimeDelta::seconds(4));
    assert_eq!(check_ledger(&[ledger], &rows), []);
}

async fn start_endless(scheduler: &RunningScheduler, events: &mut Receiver<Event>) -> Execution {
    let row = scheduler.handle().trigger(TriggerRequest::new(id("endless"))).await.expect("accepted").execution;
    told(events, 1, |event| matches!(event, Event::Started { execution_id, .. } if *execution_id == row.id)).await;
    row
}

/// What a later version or a hand has written, and this one can't read, stops nothing else, and is shown.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_can_not_be_read_hold_up_no_other() {
    let schema = Schema::new();
    let store = schema.store().await;
    let job = |name: &str| Job::builder(name).manual().overlap(OverlapPolicy::Allow).run(|| async { "done" });
    let (scheduler, mut events) = run(store.clone(), [job("spoiled"), job("other")]).await;
    let client = schema.client().await;
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let rows = "INSERT INTO job_executions
                    (job_id, occurrence, attempt, max_attempts, origin, status, reason, scheduled_at, not_before, params)
                VALUES ('spoiled', 'm:future', 1, 1, 'from_the_future', 'pending', NULL, now(), now(), NULL),
                       ('spoiled', 'm:deep', 1, 1, 'manual', 'pending', NULL, now(), now(), $1::text::json),
                       ('spoiled', 'm:reason', 1, 1, 'manual', 'skipped', 'not_on_tuesdays', now(), now(), NULL)";
    // A later version's words come with its own step.
    let unchecked = "ALTER TABLE job_executions DROP CONSTRAINT job_executions_origin_check";
    client.batch_execute(unchecked).await.expect("unchecked");
    client.execute(rows, &[&deep]).await.expect("the tables take it");
    for name in ["spoiled", "other"] {
        scheduler.handle().trigger(TriggerRequest::new(id(name))).await.expect("accepted");
        told(&mut events, 1, succeeded(name)).await;
    }
    let query =
        ExecutionQuery { filter: ExecutionFilter::default(), start: PageStart::Offset(0), limit: 10, count: true };
    let page = store.executions(&query).await.expect("the others are shown, and so are these");
    let of = |key: &str| page.executions.iter().find(|row| row.occurrence.as_str() == key).expect("it is listed");
    let deep = of("m:deep");
    assert!(deep.message.as_deref().is_some_and(|message| message.contains("can't read")), "{deep:?}");
    assert_eq!((deep.status, deep.started_at), (Status::Pending, None), "it waits for a version that can read it");
    let future = of("m:future");
    assert_eq!(
        (future.origin.as_str(), future.status),
        ("from_the_future", Status::Pending),
        "it is left to its version"
    );
    assert_eq!(of("m:reason").reason.map(|reason| reason.as_str()), Some("not_on_tuesdays"));
    scheduler.shutdown(SECOND).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_with_words_that_nobody_knows_stop_no_schedule() {
    let schema = Schema::new();
    let (scheduler, mut events) = run(schema.store().await, [each_second("hurt"), each_second("other")]).await;
    told(&mut events, 2, succeeded("hurt")).await;
    // A later version's words come with its own step.
    let unchecked = "ALTER TABLE job_executions DROP CONSTRAINT job_executions_status_check";
    let client = schema.client().await;
    client.batch_execute(unchecked).await.expect("unchecked");
    let nonsense = "UPDATE job_executions SET status = 'bananas', success = false, reason = 'because'
                    WHERE job_id = 'hurt' AND status = 'succeeded'";
    assert!(client.execute(nonsense, &[]).await.expect("nobody keeps one from it") > 0);
    told(&mut events, 3, succeeded("hurt")).await;
    told(&mut events, 2, succeeded("other")).await;
    let shown = rows(scheduler.handle(), "hurt").await.expect("they are shown as they are");
    let nonsense = |row: &&Execution| row.status.as_str() == "bananas";
    assert_eq!(shown.iter().find(nonsense).and_then(|row| row.reason).map(|reason| reason.as_str()), Some("because"));
    rows(scheduler.handle(), "other").await.expect("and so are the others");
    scheduler.shutdown(5 * SECOND).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_lease_was_deleted_is_told_and_its_job_runs_again() {
    let schema = Schema::new();
    let (scheduler, mut events) = run(schema.store().await, [endless()]).await;
    let row = start_endless(&scheduler, &mut events).await;
    schema.client().await.batch_execute("DELETE FROM execution_leases").await.expect("it is deleted");
    let ended = scheduler.handle().wait(&row.job_id, &row.occurrence, 60 * SECOND).await;
    let ended = ended.expect("the store answers").expect("the row is there");
    assert!(matches!(ended.status, Status::Abandoned | Status::Failed | Status::Succeeded), "{ended:?}");
    start_endless(&scheduler, &mut events).await;
    scheduler.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_row_was_deleted_ends_and_its_job_runs_again() {
    let schema = Schema::new();
    let (scheduler, mut events) = run(schema.store().await, [endless()]).await;
    let row = start_endless(&scheduler, &mut events).await;
    let client = schema.client().await;
    client.batch_execute("DELETE FROM job_executions").await.expect("it is deleted");
    let again = start_endless(&scheduler, &mut events).await;
    assert!(again.id > row.id);
    scheduler.shutdown(Duration::ZERO).await;
    // Its lease is left, and goes as those of the lost do.
    let (scheduler, _events) = run(schema.store().await, [endless()]).await;
    let gone = async {
        let leases = "SELECT count(*) FROM execution_leases";
        while client.query_one(leases, &[]).await.expect("counted").get::<_, i64>(0) > 0 {
            tokio::time::sleep(SECOND / 5).await;
        }
    };
    tokio::time::timeout(60 * SECOND, gone).await.expect("nothing is left of it within a minute");
    scheduler.shutdown(Duration::ZERO).await;
}

/// Copies of the tables, and a way back to them.
async fn back_up(client: &Client) {
    let copies = "CREATE TABLE old_executions AS TABLE job_executions;
                  CREATE TABLE old_states AS TABLE job_states;
                  CREATE TABLE old_sequences AS SELECT (SELECT last_value FROM execution_fences) AS fence,
                      (SELECT last_value FROM job_executions_id_seq) AS id";
    client.batch_execute(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {copies}; COMMIT")).await.expect("copied");
}

async fn restore(client: &Client) {
    let back = "LOCK TABLE job_states, job_executions, execution_leases IN ACCESS EXCLUSIVE MODE;
                DELETE FROM execution_leases; DELETE FROM job_executions; DELETE FROM job_states;
                INSERT INTO job_executions SELECT * FROM old_executions;
                INSERT INTO job_states SELECT * FROM old_states;
                SELECT setval('execution_fences', fence), setval('job_executions_id_seq', id) FROM old_sequences";
    client.batch_execute(&format!("BEGIN; {back}; COMMIT")).await.expect("restored");
}

/// R12: what a claim was answered is forgotten where its row is lost.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_database_of_yesterday_came_back_what_happened_since_is_decided_again() {
    let schema = Schema::new();
    let job = each_second("job");
    let (scheduler, mut events) = run(schema.store().await, [job.clone()]).await;
    told(&mut events, 3, succeeded("job")).await;
    let client = schema.client().await;
    back_up(&client).await;
    told(&mut events, 6, succeeded("job")).await;
    let newest: DateTime<Utc> =
        client.query_one("SELECT max(scheduled_at) FROM job_executions", &[]).await.expect("there are rows").get(0);
    restore(&client).await;
    // The seconds since are one missed range, but for the latest; then the schedule goes on.
    told(&mut events, 5, succeeded("job")).await;
    let after: DateTime<Utc> =
        client.query_one("SELECT max(scheduled_at) FROM job_executions", &[]).await.expect("rows").get(0);
    assert!(newest < after);
    nothing_is_missing(scheduler.handle(), &job).await;
    scheduler.shutdown(5 * SECOND).await;
}

/// R1: a fence is above the highest given for its job.
#[tokio::test(flavor = "multi_thread")]
async fn fences_go_on_above_those_given_though_their_sequence_was_set_back() {
    let schema = Schema::new();
    let (scheduler, mut events) = run(schema.store().await, [each_second("job")]).await;
    let client = schema.client().await;
    client.batch_execute("SELECT setval('execution_fences', 1000)").await.expect("set");
    told(&mut events, 3, succeeded("job")).await;
    scheduler.shutdown(5 * SECOND).await;
    client.batch_execute("SELECT setval('execution_fences', 1)").await.expect("set back");
    let (scheduler, mut events) = run(schema.lazy(), [each_second("job")]).await;
    told(&mut events, 2, succeeded("job")).await;
    scheduler.shutdown(5 * SECOND).await;
    let falls = "SELECT count(*) FROM (SELECT fence, lag(fence) OVER (ORDER BY id) AS before FROM job_executions
                 WHERE fence IS NOT NULL) AS rows WHERE fence <= before";
    assert_eq!(client.query_one(falls, &[]).await.expect("counted").get::<_, i64>(0), 0);
}

/// A user who may read the schema and no more; its store.
async fn reader(schema: &Schema, client: &Client) -> (String, PostgresStore) {
    let role = schema.name.replace("test_", "reader_");
    let grants = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT USAGE ON SCHEMA {name} TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {role}",
        name = schema.name
    );
    client.batch_execute(&grants).await.expect("a role is made");
    let (scheme, rest) = schema.url.split_once("://").expect("a URL");
    let (_, place) = rest.rsplit_once('@').expect("a user");
    let store = PostgresStore::connect_lazy(&format!("{scheme}://{role}:pw@{place}")).expect("a URL");
    (role, store.with_schema(&schema.name).expect("a name").with_pool_size(4))
}

async fn drop_role(client: &Client, role: &str) {
    client.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.expect("the role is dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_only_read_does_not_start_and_is_told_why() {
    let schema = Schema::new();
    schema.store().await;
    let admin = client(&schema.url).await;
    let (role, store) = reader(&schema, &admin).await;
    let error = Scheduler::builder(store).jobs([each_second("job")]).build().expect("valid").start().await;
    let error = error.expect_err("nothing may be written");
    let said = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ");
    assert!(said.contains("GRANT INSERT ON TABLE") && said.contains("job_executions"), "{said}");
    drop_role(&admin, &role).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_is_told_and_nothing_is_lost_of_that_time() {
    let schema = Schema::new();
    schema.store().await;
    let admin = client(&schema.url).await;
    let (role, store) = reader(&schema, &admin).await;
    let rights = |verb: &str, to: &str| {
        let (name, role) = (&schema.name, &role);
        format!("{verb} INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} {to} {role}")
    };
    admin.batch_execute(&rights("GRANT", "TO")).await.expect("granted");
    let sequences = format!("GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {} TO {role}", schema.name);
    admin.batch_execute(&sequences).await.expect("granted");
    let job = each_second("job");
    let (scheduler, mut events) = run(store, [job.clone()]).await;
    told(&mut events, 2, succeeded("job")).await;
    admin.batch_execute(&rights("REVOKE", "FROM")).await.expect("revoked");
    told(&mut events, 1, |event| *event == Event::BackendAway { backend: Backend::Store }).await;
    assert!(!scheduler.handle().health().degraded.is_empty());
    tokio::time::sleep(3 * SECOND).await;
    admin.batch_execute(&rights("GRANT", "TO")).await.expect("granted");
    told(&mut events, 5, succeeded("job")).await;
    nothing_is_missing(scheduler.handle(), &job).await;
    scheduler.shutdown(5 * SECOND).await;
    drop_role(&admin, &role).await;
}
