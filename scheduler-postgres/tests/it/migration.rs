//! The tables, from nothing, from the predecessor's, and from a later version.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::join_all;
use scheduler_core::{
    identity::{InstanceId, JobId},
    status::Status,
    store::{
        Actor, AuditQuery, BackfillAnswer, BackfillRefusal, BackfillRequest, ControlStore as _, ExecutionFilter,
        ExecutionQuery, ExecutionStore as _, HistoryStore as _, OperatorStore as _, PageStart, RecoverRequest,
        RetryOutcome, RetryRequest, Store as _,
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
    let steps = client.query("SELECT version, compatible_from FROM scheduler_versions ORDER BY version", &[]).await;
    let steps = steps.expect("the table is there").iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<_>>();
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/steps")).expect("the folder is there");
    let names = files.map(|file| file.expect("a file").file_name().into_string().expect("a plain name"));
    let mut expected: Vec<(i32, i32)> = names
        .map(|name| (name.split_once("__").expect("named `<number>__<what>.sql`").0.parse().expect("a number"), 8))
        .collect();
    expected.sort_unstable();
    assert_eq!(steps, expected, "each step is noted, and says how far back the code may lie");
}

#[tokio::test]
async fn the_engine_makes_the_tables_of_a_lazy_store() {
    let schema = Schema::new();
    let store = schema.lazy().attach();
    store.check().await.expect("nothing stands in the way of the tables");
    store.prepare().await.expect("the tables are made");
    store.check().await.expect("the tables are there");
    store.prepare().await.expect("there is nothing to do");
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

/// A version says from which version of the code on it can be worked with.
#[tokio::test]
async fn a_newer_database_that_this_code_can_work_with_is_worked_with() {
    let schema = Schema::new();
    schema.store().await;
    let client = schema.client().await;
    client
        .batch_execute("INSERT INTO scheduler_versions VALUES (1000, (SELECT max(version) FROM scheduler_versions))")
        .await
        .expect("a later version was here");
    let store = schema.lazy();
    store.migrate().await.expect("this code can work with it");
    store.check().await.expect("the engine starts");
    client
        .batch_execute("UPDATE scheduler_versions SET compatible_from = 1000 WHERE version = 1000")
        .await
        .expect("set");
    let error = schema.lazy().check().await.expect_err("what breaks this code refuses it");
    assert!(!error.is_retryable(), "{error:?}");
}

/// The predecessor's table, with its rows.
async fn predecessor(schema: &Schema) -> tokio_postgres::Client {
    let client = schema.client().await;
    client.batch_execute(&format!("CREATE SCHEMA {}", schema.name)).await.expect("the schema is made");
    client.batch_execute(include_str!("predecessor.sql")).await.expect("the predecessor's rows are there");
    client
}

/// A dump reads the table for long: the migration waits for it, and nobody waits behind the migration for a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_a_reader_and_holds_up_no_other() {
    let schema = Schema::new();
    let mut dump = predecessor(&schema).await;
    let other = schema.client().await;
    other.batch_execute("SET lock_timeout = '1s'").await.expect("set");
    let read = dump.transaction().await.expect("a transaction");
    read.batch_execute("SELECT count(*) FROM job_executions").await.expect("the dump reads");
    let store = schema.lazy();
    let migration = tokio::spawn(async move { store.migrate().await });
    for _ in 0..20 {
        other.batch_execute("SELECT count(*) FROM job_executions").await.expect("it does not queue for long");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(!migration.is_finished(), "the dump still reads");
    read.commit().await.expect("the dump ends");
    migration.await.expect("no panic").expect("the tables are migrated");
}

/// A limit that the user's role or the server has for statements is not a migration's.
#[tokio::test]
async fn a_migration_takes_longer_than_a_statement_may() {
    let schema = Schema::new();
    let client = predecessor(&schema).await;
    slow_down(&client, 0.005).await;
    let url = format!(
        "{}{}options=-c%20statement_timeout%3D1s",
        schema.url,
        if schema.url.contains('?') { "&" } else { "?" }
    );
    let store = scheduler_postgres::PostgresStore::connect_lazy(&url).expect("a URL");
    let store = store.with_schema(&schema.name).expect("a name");
    store.migrate().await.expect("408 rows of five milliseconds each are adopted");
}

/// Makes each row's adoption take so many seconds.
async fn slow_down(client: &tokio_postgres::Client, seconds: f64) {
    client
        .batch_execute(&format!(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$;
             CREATE TRIGGER slow BEFORE UPDATE ON job_executions FOR EACH ROW EXECUTE FUNCTION slow()"
        ))
        .await
        .expect("rows are slow to change");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_is_given_up_ends_at_the_server_too() {
    let schema = Schema::new();
    let client = predecessor(&schema).await;
    slow_down(&client, 1.0).await;
    let store = schema.lazy();
    let migration = tokio::spawn(async move { store.migrate().await });
    let at_it = format!(
        "SELECT count(*) FROM pg_locks AS l WHERE l.relation = '{}.job_executions'::regclass AND l.mode = 'AccessExclusiveLock'
         AND l.granted",
        schema.name
    );
    let locked = async |wanted: bool| {
        for _ in 0..600 {
            if (client.query_one(&at_it, &[]).await.expect("the locks").get::<_, i64>(0) > 0) == wanted {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the table is {}locked after 30 s", if wanted { "not " } else { "still " });
    };
    locked(true).await;
    migration.abort();
    // Four hundred rows of a second each were to follow.
    locked(false).await;
    let columns =
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'job_executions'";
    let columns: i64 = client.query_one(columns, &[&schema.name]).await.expect("the columns").get(0);
    assert_eq!(columns, 11, "nothing was changed");
}

/// Fills the predecessor's table with this many rows of fifty jobs, each a minute after the last.
async fn fill(client: &tokio_postgres::Client, rows: i64) {
    let fill = "INSERT INTO job_executions (job_id, started_at, finished_at, duration_seconds, success, message, result_data)
                SELECT 'job-' || n % 50, at, at + interval '1.2 seconds', 1.2, n % 7 <> 0, 'run ' || n, json_build_object('n', n)
                FROM generate_series(1, $1::bigint) AS n,
                     LATERAL (SELECT now() - n * interval '1 minute') AS starts (at)";
    client.execute(fill, &[&rows]).await.expect("the predecessor's rows are there");
}

/// The predecessor, at work: it reads, begins runs, ends each at its next turn, and deletes one row in ten. No statement of its
/// waits for as long as a second. Answers what it has written: the ids that ended, and those that it deleted.
async fn predecessor_at_work(schema: &str, url: &str, ends: Arc<AtomicBool>) -> (Vec<i64>, Vec<i64>) {
    let client = crate::server::client(url).await;
    let path = format!("SET search_path TO {schema}; SET statement_timeout = '1s'");
    client.batch_execute(&path).await.expect("set");
    let (mut ended, mut deleted, mut runs) = (Vec::new(), Vec::new(), None);
    while !ends.load(Ordering::SeqCst) {
        let insert = "INSERT INTO job_executions (job_id, started_at, success) VALUES ('at-work', now(), false) RETURNING id::bigint";
        let id: i64 = client.query_one(insert, &[]).await.expect("a run begins").get(0);
        if let Some(last) = runs.replace(id) {
            // Written out: the column is wider after the adoption.
            let end = format!(
                "UPDATE job_executions SET finished_at = now(), success = true, updated_at = now() WHERE id = {last}"
            );
            assert_eq!(client.execute(&end, &[]).await.expect("a run ends"), 1, "row {last} is there");
            if last % 10 == 0 {
                let gone = format!("DELETE FROM job_executions WHERE id = {last}");
                assert_eq!(client.execute(&gone, &[]).await.expect("a row goes"), 1);
                deleted.push(last);
            } else {
                ended.push(last);
            }
        }
        let read = "SELECT message FROM job_executions WHERE id = 500";
        client.query_one(read, &[]).await.expect("it reads");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    (ended, deleted)
}

/// Adopts so many rows while the predecessor works, given up as often in the middle, and holds what is there afterwards.
async fn adopted_at_work(rows: i64, given_up: u32) {
    let schema = Schema::new();
    let client = predecessor(&schema).await;
    fill(&client, rows).await;
    let role = schema.name.replace("test_", "reports_");
    let grant = format!("CREATE ROLE {role}; GRANT SELECT ON job_executions TO {role}");
    client.batch_execute(&grant).await.expect("somebody else reads it");
    let ends = Arc::new(AtomicBool::new(false));
    let work = tokio::spawn({
        let (ends, name, url) = (Arc::clone(&ends), schema.name.clone(), schema.url.clone());
        async move { predecessor_at_work(&name, &url, ends).await }
    });
    let copied = format!("SELECT copied_to FROM {}_adoption.scheduler_adoption", schema.name);
    let mut seen = i64::MIN;
    for _ in 0..given_up {
        let store = schema.lazy();
        let migration = tokio::spawn(async move { store.migrate().await });
        loop {
            let now: i64 = client.query_one(&copied, &[]).await.map_or(i64::MIN, |row| row.get(0));
            if now > seen {
                seen = now;
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        migration.abort();
        let _ = migration.await;
    }
    schema.lazy().prepare().await.expect("they are adopted");
    ends.store(true, Ordering::SeqCst);
    let (ended, deleted) = work.await.expect("nobody waited for a second");
    let kept = "SELECT count(*), count(*) FILTER (WHERE status = 'succeeded' AND success), count(DISTINCT (job_id, occurrence))
                FROM job_executions WHERE job_id LIKE 'job-%'";
    let kept = client.query_one(kept, &[]).await.expect("the rows");
    let kept: (i64, i64, i64) = (kept.get(0), kept.get(1), kept.get(2));
    assert_eq!(kept, (rows, rows - rows / 7, rows), "what was there before");
    let work =
        "SELECT count(*) FILTER (WHERE status = 'succeeded' AND id = ANY ($1)), count(*) FILTER (WHERE id = ANY ($2)),
                       count(*) FILTER (WHERE status <> 'succeeded')
                FROM job_executions WHERE job_id = 'at-work'";
    let work = client.query_one(work, &[&ended, &deleted]).await.expect("the rows");
    let work: (i64, i64, i64) = (work.get(0), work.get(1), work.get(2));
    assert!(!ended.is_empty() && !deleted.is_empty());
    assert_eq!(work, (i64::try_from(ended.len()).expect("few"), 0, 1), "what was written meanwhile; the last one runs");
    let left = "SELECT count(*) FROM pg_namespace WHERE nspname = $1 || '_adoption'";
    assert_eq!(
        client.query_one(left, &[&schema.name]).await.expect("counted").get::<_, i64>(0),
        0,
        "nothing is left over"
    );
    let granted = format!("SELECT has_table_privilege('{role}', 'job_executions', 'SELECT')");
    assert!(client.query_one(&granted, &[]).await.expect("asked").get::<_, bool>(0), "who might read it may");
    client.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.expect("dropped");
    let store = schema.lazy();
    store.check().await.expect("the engine starts");
    lost_reply::claim(&store, &client, "new").await;
}

/// No reader and no writer waits for a second while the predecessor's table is adopted, and a migration that is given up goes on
/// where it was.
#[tokio::test(flavor = "multi_thread")]
async fn the_predecessors_table_is_adopted_while_it_works() {
    adopted_at_work(30_000, 3).await;
}

/// A schema of somebody's own that has the name under which a table would be copied is not touched, and the table is adopted all
/// the same.
#[tokio::test]
async fn a_schema_that_is_named_as_an_adoption_s_is_left_alone() {
    let schema = Schema::new();
    let client = predecessor(&schema).await;
    let own = format!("{}_adoption", schema.name);
    let pets = format!("CREATE SCHEMA {own}; CREATE TABLE {own}.pets AS SELECT 'rex' AS name");
    client.batch_execute(&pets).await.expect("the service's own");
    let store = schema.store().await;
    let query =
        ExecutionQuery { filter: ExecutionFilter::default(), start: PageStart::Offset(0), limit: 1, count: true };
    assert_eq!(store.executions(&query).await.expect("it is adopted").total, Some(408));
    schema.store().await;
    let pets = format!("SELECT name FROM {own}.pets; DROP SCHEMA {own} CASCADE");
    client.batch_execute(&pets).await.expect("they are there");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `cargo test -p scheduler-postgres -- --ignored`, `ADOPTED_ROWS` for another number"]
async fn ten_million_rows_are_adopted_while_the_predecessor_works() {
    let rows: i64 = std::env::var("ADOPTED_ROWS").map_or(10_000_000, |rows| rows.parse().expect("a number"));
    adopted_at_work(rows, 0).await;
}

/// During the roll-over both write.
#[tokio::test]
async fn the_predecessor_goes_on_writing_and_its_rows_show_as_what_they_are() {
    let schema = Schema::new();
    let client = predecessor(&schema).await;
    let store = schema.store().await;
    let insert = "INSERT INTO job_executions (job_id, started_at, success) VALUES ($1, now(), false) RETURNING id";
    let mut ids = Vec::new();
    for job in ["runs", "ends", "fails"] {
        ids.push(client.query_one(insert, &[&job]).await.expect("the predecessor's row").get::<_, i64>(0));
    }
    let end = "UPDATE job_executions SET finished_at = now(), duration_seconds = 1.5, success = $2, message = 'done',
               result_data = '{}', updated_at = now() WHERE id = $1";
    client.execute(end, &[&ids[1], &true]).await.expect("it ends");
    client.execute(end, &[&ids[2], &false]).await.expect("it fails");
    let whole = "INSERT INTO job_executions (job_id, started_at, finished_at, duration_seconds, success, message)
                 VALUES ('whole', now(), now(), 0.1, true, 'at once')";
    client.batch_execute(whole).await.expect("a row written at the end");
    let healthy_for = std::time::Duration::from_secs(3_600);
    let recover = RecoverRequest { instance: InstanceId::random(), healthy_for, limit: 100 };
    let recovered = store.recover(&recover).await.expect("the store answers");
    assert!(recovered.is_empty(), "{recovered:?}");
    let statuses = async || {
        let start = PageStart::Offset(0);
        let query = ExecutionQuery { filter: ExecutionFilter::default(), start, limit: 4, count: false };
        let page = store.executions(&query).await.expect("every row can be read");
        page.executions.iter().map(|row| (row.job_id.to_string(), row.status)).collect::<Vec<_>>()
    };
    let expected = [
        ("whole", Status::Succeeded),
        ("fails", Status::Failed),
        ("ends", Status::Succeeded),
        ("runs", Status::Running),
    ];
    assert_eq!(statuses().await, expected.map(|(job, status)| (job.to_owned(), status)));
    // What it did not end within a day was lost.
    let age = "UPDATE job_executions SET created_at = now() - interval '25 hours' WHERE id = $1";
    client.execute(age, &[&ids[0]]).await.expect("a day goes by");
    store.recover(&recover).await.expect("the store answers");
    assert_eq!(statuses().await[3], ("runs".to_owned(), Status::Abandoned));
}

#[tokio::test]
async fn a_table_of_another_shape_is_refused_with_the_statement_that_mends_it() {
    let schema = Schema::new();
    let client = predecessor(&schema).await;
    let alter = "ALTER TABLE job_executions ALTER COLUMN started_at TYPE timestamp, DROP COLUMN updated_at";
    client.batch_execute(alter).await.expect("altered");
    for (column, found) in [("started_at", "timestamp without time zone"), ("updated_at", "missing")] {
        let error = schema.lazy().migrate().await.expect_err("it is refused");
        let words = error.to_string();
        assert!(words.contains(column) && words.contains(found), "{words}");
        let mend = words.split('`').find(|part| part.starts_with("ALTER TABLE")).expect("the statement");
        client.batch_execute(mend).await.expect("it mends the column");
    }
    schema.store().await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_with_what_to_do() {
    let schema = Schema::new();
    let client = predecessor(&schema).await;
    client.batch_execute("CREATE TABLE instances (id INTEGER)").await.expect("the service's own");
    let error = schema.lazy().migrate().await.expect_err("it is refused");
    let words = error.to_string();
    assert!(words.contains("instances") && words.contains("with_schema"), "{words}");
}

#[tokio::test]
async fn a_view_that_stands_in_the_way_is_named() {
    let schema = Schema::new();
    let client = predecessor(&schema).await;
    client.batch_execute("CREATE VIEW nightly AS SELECT id FROM job_executions").await.expect("the service's own");
    let error = schema.lazy().migrate().await.expect_err("it is refused");
    let mut words = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        words += &format!("{error}; ");
        cause = error.source();
    }
    assert!(words.contains("nightly"), "{words}");
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
