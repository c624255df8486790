//! The tables, from nothing, from the predecessor's, and from a later version.

use futures_util::future::join_all;
use scheduler_core::{
    identity::JobId,
    status::Status,
    store::{
        Actor, AuditQuery, BackfillAnswer, BackfillRefusal, BackfillRequest, ControlStore as _, ExecutionFilter,
        ExecutionQuery, HistoryStore as _, OperatorStore as _, PageStart, RetryOutcome, RetryRequest, Store as _,
    },
};
use scheduler_postgres::PostgresError;

use crate::{lost_reply, server::Schema};

#[tokio::test(flavor = "multi_thread")]
async fn ten_instances_that_start_at_once_make_the_tables_once() {
    let schema = Schema::new();
    let starts = join_all((0..10).map(|_| {
        let store = schema.lazy();
        tokio::spawn(async move { store.migrate().await })
    }));
    for start in starts.await {
        start.expect("no panic").expect("each start succeeds");
    }
    let client = schema.client().await;
    let sql = "SELECT version FROM scheduler_migrations ORDER BY version";
    let rows = client.query(sql, &[]).await.expect("the table is there");
    let versions: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).expect("the folder is there");
    let names = files.map(|file| file.expect("a file").file_name().into_string().expect("a plain name"));
    let version = |name: String| name.strip_prefix('V')?.split_once("__")?.0.parse().ok();
    let mut expected: Vec<i32> = names.map(|name| version(name).expect("named `V<number>__<what>.sql`")).collect();
    expected.sort_unstable();
    assert_eq!(versions, expected);
}

#[tokio::test]
async fn the_engines_check_makes_the_tables_of_a_lazy_store() {
    let schema = Schema::new();
    let store = schema.lazy().attach();
    store.check().await.expect("the tables are made");
    store.check().await.expect("the tables are there");
}

#[tokio::test]
async fn the_predecessors_rows_are_all_kept() {
    let schema = Schema::new();
    let client = schema.client().await;
    client.batch_execute(&format!("CREATE SCHEMA {}", schema.name)).await.expect("the schema is made");
    client.batch_execute(include_str!("predecessor.sql")).await.expect("the predecessor's rows are there");
    let kept = "SELECT id::bigint, job_id, started_at, finished_at, duration_seconds::text, success, message, error_trace, \
                result_data::text, created_at, updated_at FROM job_executions ORDER BY id";
    let shown = |rows: Vec<tokio_postgres::SimpleQueryMessage>| format!("{rows:?}");
    let before = shown(client.simple_query(kept).await.expect("rows"));

    let store = schema.store().await;

    assert_eq!(shown(client.simple_query(kept).await.expect("rows")), before);
    let query =
        ExecutionQuery { filter: ExecutionFilter::default(), start: PageStart::Offset(0), limit: 1_000, count: true };
    let page = store.executions(&query).await.expect("every row can be read");
    assert_eq!((page.executions.len(), page.total), (408, Some(408)));
    let of = |job_id: &str| {
        let mut rows: Vec<_> = page.executions.iter().filter(|row| row.job_id.as_str() == job_id).collect();
        rows.reverse();
        rows
    };
    let twice = of("twice");
    let keys: Vec<_> = twice.iter().map(|row| row.occurrence.as_str().to_owned()).collect();
    let millis = "s:1740787200000";
    assert_eq!(keys, [millis.to_owned(), format!("{millis}:{}", twice[1].id), format!("{millis}:{}", twice[2].id)]);
    let statuses: Vec<_> = twice.iter().map(|row| row.status).collect();
    assert_eq!(statuses, [Status::Succeeded, Status::Failed, Status::Abandoned]);
    assert_eq!(of("crashed")[0].status, Status::Abandoned);
    assert_eq!(of("endless")[0].status, Status::Succeeded);
    assert_eq!(of("endless")[0].duration_seconds, Some(9_999_999.999));
    assert_eq!(of("ancient")[0].occurrence.as_str(), "s:-1");
    assert_eq!(of("Old Job/1")[0].message.as_deref(), Some("ünïcode"));
    let crashed = RetryRequest { execution_id: of("crashed")[0].id, actor: Actor::new("ayu") };
    let retried = store.retry(&crashed).await.expect("the store answers");
    assert_eq!(retried, RetryOutcome::Unknown, "nobody would take a retry of a job that nobody has");
    let attendance = JobId::parse("auto_create_daily_attendance").expect("valid");
    let latest = store.latest(&[attendance]).await.expect("the latest row");
    assert_eq!(latest[0].message.as_deref(), Some("run 400"));
    assert_eq!(latest[0].scheduled_at, latest[0].started_at.expect("it ran"));
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_to_this_one_with_all_that_is_in_it() {
    let (newest, first) = (Schema::new(), Schema::new());
    newest.store().await;
    let client = first.client().await;
    let (name, from) = (&first.name, &newest.name);
    client.batch_execute(&format!("CREATE SCHEMA {name}")).await.expect("the schema is made");
    client
        .batch_execute(include_str!("../../migrations/V1__executions.sql"))
        .await
        .expect("the first version's tables");
    client
        .batch_execute(&format!(
            "CREATE TABLE scheduler_migrations (LIKE {from}.scheduler_migrations INCLUDING ALL);
             INSERT INTO scheduler_migrations SELECT * FROM {from}.scheduler_migrations WHERE version = 1;
             INSERT INTO job_revisions (job_id, fingerprint, trigger, policies, enabled, valid_from)
             VALUES ('old', 'first', 'every 1s', '{{}}', true, now());
             INSERT INTO job_states (job_id, revision_id, enabled, watermark, paused_at, paused_by)
             SELECT 'old', id, true, now(), now(), 'ayu' FROM job_revisions;
             INSERT INTO job_executions (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before)
             VALUES ('old', 's:1', 1, 1, 'schedule', 'failed', 'epoch', 'epoch')"
        ))
        .await
        .expect("what the first version wrote");

    let store = first.store().await;

    let old = JobId::parse("old").expect("valid");
    let states = store.states(std::slice::from_ref(&old)).await.expect("the store answers");
    assert_eq!(states[0].pause.as_ref().and_then(|pause| pause.by.as_deref()), Some("ayu"));
    let revisions = store.revisions(&old).await.expect("the store answers");
    assert_eq!((revisions.len(), &*revisions[0].trigger, revisions[0].zone_data.as_deref()), (1, "every 1s", None));
    let query =
        ExecutionQuery { filter: ExecutionFilter::default(), start: PageStart::Offset(0), limit: 10, count: true };
    let row = store.executions(&query).await.expect("the store answers").executions.remove(0);
    let retry = RetryRequest { execution_id: row.id, actor: Actor::new("ayu") };
    let outcome = store.retry(&retry).await.expect("the store answers");
    assert!(matches!(outcome, RetryOutcome::Retried(_)), "{outcome:?}");
    let audit = AuditQuery { job_id: Some(old), limit: 10, ..AuditQuery::default() };
    assert_eq!(store.audit(&audit).await.expect("the store answers").len(), 1);
}

#[tokio::test]
async fn the_predecessors_ids_grow_beyond_its_serial() {
    let schema = Schema::new();
    let client = schema.client().await;
    client.batch_execute(&format!("CREATE SCHEMA {}", schema.name)).await.expect("the schema is made");
    client.batch_execute(include_str!("predecessor.sql")).await.expect("the predecessor's rows are there");
    schema.store().await;
    client.batch_execute("SELECT setval('job_executions_id_seq', 2147483647)").await.expect("the sequence is wide");
    let row = client
        .query_one(
            "INSERT INTO job_executions (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before)
             VALUES ('later', 's:1', 1, 1, 'schedule', 'skipped', now(), now()) RETURNING id",
            &[],
        )
        .await
        .expect("the row is inserted");
    assert_eq!(row.get::<_, i64>(0), 2_147_483_648);
}

#[tokio::test]
async fn a_newer_database_is_refused_and_says_what_to_do() {
    let schema = Schema::new();
    schema.store().await;
    let client = schema.client().await;
    client
        .batch_execute("INSERT INTO scheduler_migrations VALUES (1000, 'later', '2030-01-01T00:00:00Z', '1')")
        .await
        .expect("a later version was here");
    let error = schema.lazy().migrate().await.expect_err("the database is newer");
    assert!(matches!(error, PostgresError::Newer { found: 1000, .. }), "{error:?}");
    assert!(error.to_string().contains("has version 1000") && error.to_string().contains("deploy the newer version"));
    let error = schema.lazy().check().await.expect_err("the engine does not start");
    assert!(!error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn success_stays_true_to_the_status() {
    let schema = Schema::new();
    schema.store().await;
    let insert = "INSERT INTO job_executions (job_id, occurrence, attempt, max_attempts, origin, status, success, \
                  scheduled_at, not_before) VALUES ('x', 's:1', 1, 1, 'schedule', 'failed', true, now(), now())";
    let error = schema.client().await.batch_execute(insert).await.expect_err("a failure is no success");
    assert_eq!(error.as_db_error().and_then(|error| error.constraint()), Some("job_executions_success_check"));
}

#[tokio::test]
async fn what_the_predecessor_ran_is_not_backfilled() {
    let schema = Schema::new();
    let client = schema.client().await;
    client.batch_execute(&format!("CREATE SCHEMA {}", schema.name)).await.expect("the schema is made");
    client.batch_execute(include_str!("predecessor.sql")).await.expect("the predecessor's rows are there");
    let store = schema.store().await;
    // The predecessor's rows know when a run started, not which occurrence it was.
    let claim = lost_reply::claim(&store, &client, "auto_create_daily_attendance").await;
    let fresh = lost_reply::claim(&store, &client, "fresh").await;
    for (claim, refused) in [(claim, true), (fresh, false)] {
        let request = BackfillRequest {
            job_id: claim.job_id,
            occurrences: vec![claim.scheduled_at - std::time::Duration::from_secs(86_400)],
            retries: 0,
            dry_run: true,
            actor: Actor::new("ayu"),
        };
        let answers = store.backfill(&request).await.expect("the store answers").expect("the job is known");
        assert_eq!(answers[0] == BackfillAnswer::Refused(BackfillRefusal::Pruned), refused, "{answers:?}");
    }
}
