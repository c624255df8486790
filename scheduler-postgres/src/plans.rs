//! What the batch statements read, whatever the planner takes the tables for: held by counting rows, never by a clock.
//!
//! Each is run by `EXPLAIN ANALYZE` over a batch of [`BATCH`] within a transaction that is rolled back, and the rows that pass
//! through all nodes of its plan are added up. A nested loop over the batch would be a million; linear is some tens a request.

use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::{
    config::PostgresConfig,
    sql::{Query, Statements},
};

/// How much is asked for at once.
const BATCH: usize = 1_000;

/// How many rows may pass through the nodes of a plan for each request of its batch.
const ROWS_A_REQUEST: f64 = 100.0;

/// What the planner knows of the tables, and what is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tables {
    /// Nothing: they were never analysed, and are as good as empty.
    Fresh,
    /// That they are empty, which was so once: 50,000 rows have come since.
    Outgrown,
    /// All of it: a million rows of history, analysed.
    Analysed,
}

/// When the plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planned {
    /// For what is asked.
    Anew,
    /// Once, for whatever will be asked: after some executions a prepared statement has such a plan.
    Once,
}

/// How many rows the history has where the planner takes the table for empty.
const OUTGROWN: usize = 50_000;

/// How many rows wait, twenty of each job: one of each is asked for.
const WAITING: usize = 20 * BATCH;

/// How many pages may be read for each request: some rows, and the way through some indexes.
const PAGES_A_REQUEST: f64 = 120.0;

struct Scene {
    tables: Tables,
    client: Client,
    statements: Statements,
}

impl Scene {
    async fn new(tables: Tables) -> Self {
        let url = std::env::var("DATABASE_URL").expect(
            "DATABASE_URL is not set: run `cargo xtask services up` and set what it prints, or run `cargo xtask test`",
        );
        let schema = format!("test_{}", uuid::Uuid::new_v4().simple());
        let config = PostgresConfig::parse(&url).expect("a URL");
        let store = crate::PostgresStore::new(config.clone()).with_schema(&schema).expect("a name");
        store.migrate().await.expect("the tables are made");
        let (client, connection) = config.connect().await.expect("the server answers");
        tokio::spawn(connection);
        let scene = Self { tables, client, statements: Statements::of(&schema) };
        scene.run(&format!("SET search_path = {schema}")).await;
        scene.run("ALTER TABLE job_executions SET (autovacuum_enabled = off)").await;
        scene.run("ALTER TABLE job_states SET (autovacuum_enabled = off)").await;
        scene.run("ALTER TABLE execution_leases SET (autovacuum_enabled = off)").await;
        if tables == Tables::Outgrown {
            scene
                .run("ANALYZE job_executions; ANALYZE job_states; ANALYZE execution_leases; ANALYZE job_revisions")
                .await;
        }
        scene.run(&format!(
            "WITH revision AS (
                INSERT INTO job_revisions (job_id, fingerprint, trigger, policies, enabled, valid_from)
                SELECT 'job' || n, 'f', '* * * * * *', '{{\"overlap\": \"skip\"}}', true, now() FROM generate_series(1, {BATCH}) AS n
                RETURNING id, job_id)
            INSERT INTO job_states (job_id, revision_id, enabled, watermark)
            SELECT job_id, id, true, now() - interval '10 seconds' FROM revision"
        ))
        .await;
        let history = match tables {
            Tables::Fresh => 0,
            Tables::Outgrown => OUTGROWN,
            Tables::Analysed => 1_000_000,
        };
        let at = "now() - n * interval '10 seconds' - interval '1 minute'";
        let key = format!("'s:' || floor(extract(epoch FROM {at}) * 1000)::bigint");
        scene.rows(&key, history, "succeeded", at).await;
        if tables == Tables::Analysed {
            scene
                .run("ANALYZE job_executions; ANALYZE job_states; ANALYZE execution_leases; ANALYZE job_revisions")
                .await;
        }
        scene
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    }

    /// So many rows in this status, one job after another, with the occurrence that this expression names.
    async fn rows(&self, key: &str, count: usize, status: &str, at: &str) {
        let (is_running, is_over) = (status == "running", status == "succeeded");
        self.run(&format!(
            "INSERT INTO job_executions (job_id, occurrence, attempt, max_attempts, origin, status, success, scheduled_at, not_before,
                 started_at, finished_at, holds_key, claim_id, fence, created_at)
             SELECT 'job' || (1 + n % {BATCH}), {key}, 1, 3, 'schedule', '{status}', {is_over}, {at}, {at},
                 CASE WHEN '{status}' <> 'pending' THEN now() END, CASE WHEN {is_over} THEN now() END, {is_running},
                 gen_random_uuid(), nextval('execution_fences'), now()
             FROM generate_series(1, {count}) AS n"
        ))
        .await;
        if is_running {
            self.run(
                "INSERT INTO execution_leases (execution_id, instance_id, fence, expires_at, rerun_on_crash, ttl_ms)
                 SELECT id, gen_random_uuid(), fence, now() + interval '1 minute', false, 30000
                 FROM job_executions WHERE status = 'running'",
            )
            .await;
        }
    }

    /// An array of what this expression gives, as a literal.
    async fn array(&self, kind: &str, expression: &str, from: &str) -> String {
        let sql = format!("SELECT array_agg(({expression})::{kind})::text FROM {from}");
        let text: String = self.client.query_one(&sql, &[]).await.expect("an array").get(0);
        format!("'{text}'::{kind}[]")
    }

    /// An array with a place for each request; `n` counts them.
    async fn each(&self, kind: &str, expression: &str) -> String {
        self.array(kind, expression, &format!("(SELECT n FROM generate_series(1, {BATCH}) AS n ORDER BY n) AS batch"))
            .await
    }

    /// An array of the rows in a status, one of each job.
    async fn of_rows(&self, kind: &str, column: &str, status: &str) -> String {
        let rows =
            format!("(SELECT * FROM job_executions WHERE status = '{status}' ORDER BY id LIMIT {BATCH}) AS rows");
        self.array(kind, column, &rows).await
    }

    /// What statements on claims are asked: an occurrence of each job, which is due.
    async fn claims(&self) -> Vec<String> {
        vec![
            self.each("uuid", "gen_random_uuid()").await,
            self.each("text", "'job' || n").await,
            self.array("bigint", "revision_id", "(SELECT * FROM job_states ORDER BY substr(job_id, 4)::int) AS s")
                .await,
            self.each("text", "'s:due' || n").await,
            self.each("timestamptz", "now()").await,
            self.each("timestamptz", "now()").await,
            self.each("timestamptz", "now() + interval '1 minute'").await,
        ]
    }

    /// The plan of a text, within a transaction that is rolled back.
    async fn explain(&self, options: &str, text: &str, planned: Planned, arguments: &[String]) -> Value {
        let mode = if planned == Planned::Anew { "force_custom_plan" } else { "force_generic_plan" };
        self.run(&format!("BEGIN; SET LOCAL plan_cache_mode = {mode}; PREPARE asked AS {text}")).await;
        let explain = format!("EXPLAIN ({options}FORMAT JSON) EXECUTE asked ({})", arguments.join(", "));
        let answer = self.client.simple_query(&explain).await.unwrap_or_else(|error| panic!("{error:?}: {text}"));
        self.run("ROLLBACK; DEALLOCATE asked").await;
        let plan: String = answer
            .iter()
            .filter_map(|message| if let SimpleQueryMessage::Row(row) = message { row.get(0) } else { None })
            .collect();
        serde_json::from_str(&plan).expect("a plan")
    }

    /// How many rows pass through a statement's plan; it must need no compiling, however dear the planner takes it for.
    async fn read(&self, query: Query, planned: Planned, arguments: &[String]) -> f64 {
        let text = self.statements.text(query);
        let plan = self.explain("ANALYZE, BUFFERS, TIMING OFF, ", text, planned, arguments).await;
        let costs = format!(
            "{query:?}, planned {planned:?}, passes more rows than it should, or is compiled:\n{}",
            told(&plan[0]["Plan"], 0)
        );
        let mut rows = passed(&plan[0]["Plan"]);
        if planned == Planned::Once {
            rows += searched(&plan[0]["Plan"]) * BATCH as f64;
        }
        // A table that is small, or taken for it, may be read as a whole: some times a statement, never for each request.
        let scans = match self.tables {
            Tables::Fresh => 4 * WAITING,
            Tables::Outgrown => 4 * (OUTGROWN + WAITING),
            Tables::Analysed => 0,
        };
        let most = ROWS_A_REQUEST * BATCH as f64 + scans as f64;
        assert!(plan[0].get("JIT").is_none() && rows <= most, "{rows} rows: {costs}");
        // A condition on a column that an index does not begin with reads all of it, and shows in no count of rows.
        let pages = plan[0]["Plan"]["Shared Hit Blocks"].as_f64().unwrap_or(0.0)
            + plan[0]["Plan"]["Shared Read Blocks"].as_f64().unwrap_or(0.0);
        let most = PAGES_A_REQUEST * BATCH as f64 + scans as f64;
        assert!(pages <= most, "{pages} pages: {costs}");
        rows
    }
}

/// The rows that pass through a node and those below it, and those that it threw away.
fn passed(node: &Value) -> f64 {
    let number = |key: &str| node[key].as_f64().unwrap_or(0.0);
    let a_loop = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Join Filter");
    let below = node["Plans"].as_array().into_iter().flatten().map(passed).sum::<f64>();
    number("Actual Loops") * (a_loop + 1.0) + below
}

/// The rows for each of which a node searches a list of what was asked, from its beginning on: it does so where a whole table
/// is read by such a list, but for rows that another condition throws away first.
fn searched(node: &Value) -> f64 {
    let filter = node["Filter"].as_str().unwrap_or_default();
    let is_search =
        node["Node Type"] == "Seq Scan" && filter.contains("= ANY (") && !filter.starts_with("(holds_key AND");
    let is_search = is_search && !filter.starts_with("(queued AND");
    let own = node["Actual Rows"].as_f64().unwrap_or(0.0) + node["Rows Removed by Filter"].as_f64().unwrap_or(0.0);
    let below = node["Plans"].as_array().into_iter().flatten().map(searched).sum::<f64>();
    below + if is_search { own } else { 0.0 }
}

/// The nodes of a plan by which many rows pass.
fn told(node: &Value, depth: usize) -> String {
    let below: String = node["Plans"].as_array().into_iter().flatten().map(|node| told(node, depth + 1)).collect();
    let word = |key: &str| node[key].as_str().map(|word| format!(" {word}")).unwrap_or_default();
    let number = |key: &str| node[key].as_f64().unwrap_or(0.0);
    if passed(node) < BATCH as f64 / 2.0 {
        return below;
    }
    let removed = number("Rows Removed by Filter") + number("Rows Removed by Join Filter");
    let line = format!(
        "{}{}{}{}{}: {} loops of {} rows and {removed} removed, expected {}, cost {}\n",
        "  ".repeat(depth),
        node["Node Type"],
        word("Subplan Name"),
        word("Relation Name"),
        word("Index Name"),
        number("Actual Loops"),
        number("Actual Rows"),
        number("Plan Rows"),
        number("Total Cost"),
    );
    line + &below
}

/// The indexes that a node and those below it read.
fn indexes(node: &Value) -> Vec<String> {
    let own = node["Index Name"].as_str().map(str::to_owned);
    own.into_iter().chain(node["Plans"].as_array().into_iter().flatten().flat_map(indexes)).collect()
}

/// Runs a statement in each way that its plan may come about.
async fn check(scene: &Scene, query: Query, arguments: &[String]) {
    let ways: &[Planned] = if query.is_planned_anew() { &[Planned::Anew] } else { &[Planned::Anew, Planned::Once] };
    for planned in ways {
        scene.read(query, *planned, arguments).await;
    }
}

async fn batches_are_read_once(tables: Tables) {
    let scene = Scene::new(tables).await;
    let instance = || format!("'{}'::uuid", uuid::Uuid::new_v4());
    let (nobody, uuids) = (scene.each("uuid", "NULL::uuid").await, scene.each("uuid", "gen_random_uuid()").await);
    let claims = scene.claims().await;
    let claim = [
        scene.each("integer", "3").await,
        scene.each("text", "'skip'").await,
        scene.each("boolean", "false").await,
        scene.each("bigint", "30000").await,
        uuids.clone(),
        nobody.clone(),
    ];
    check(&scene, Query::Claim, &[claims.as_slice(), &claim].concat()).await;

    // From here on each job has a run that holds its key, and as many rows wait.
    scene.rows("'s:due' || n", BATCH, "running", "now()").await;
    check(&scene, Query::Claim, &[claims.as_slice(), &claim].concat()).await;
    check(&scene, Query::ClaimFate, &claims).await;
    let skipped = [
        scene.each("integer", "3").await,
        nobody.clone(),
        scene.each("text", "'skipped'").await,
        scene.each("text", "'overlap'").await,
    ];
    let others = scene.claims().await;
    check(
        &scene,
        Query::Overlap,
        &[&others[..3], &[scene.each("text", "'s:next' || n").await], &others[4..], &skipped].concat(),
    )
    .await;
    check(&scene, Query::Survey, &[claims[1].clone(), claims[1].clone(), "0".to_owned(), "101".to_owned()]).await;
    let seen = scene
        .array("timestamptz", "watermark", "(SELECT * FROM job_states ORDER BY substr(job_id, 4)::int) AS s")
        .await;
    let moves = [claims[1].clone(), claims[2].clone(), seen, scene.each("timestamptz", "now()").await];
    check(&scene, Query::Advance, &moves).await;
    let ends = scene.each("timestamptz", "now()").await;
    check(&scene, Query::DecideLock, &claims[1..2]).await;
    // As many as the engine decides in one transaction: more are taken for dear enough to be compiled.
    let passes = "(SELECT n FROM generate_series(1, 200) AS n ORDER BY n) AS batch";
    let view = [
        scene.array("text", "'job' || n", passes).await,
        scene.array("bigint", "0", passes).await,
        scene.array("bigint", "1001", passes).await,
    ];
    check(&scene, Query::DecideView, &view).await;
    check(&scene, Query::DecideWatermark, &[claims[1].clone(), ends.clone()]).await;
    let grown =
        [scene.of_rows("bigint", "id", "running").await, scene.each("text", "'s:grown' || n").await, ends.clone()];
    check(&scene, Query::DecideGrow, &[grown.as_slice(), &[scene.each("bigint", "1").await]].concat()).await;
    let (ids, fences) =
        (scene.of_rows("bigint", "id", "running").await, scene.of_rows("bigint", "fence", "running").await);
    check(&scene, Query::Renew, &[ids.clone(), fences.clone(), claim[3].clone()]).await;
    let finish = [
        ids.clone(),
        fences,
        scene.each("text", "'failed'").await,
        scene.each("text", "NULL::text").await,
        scene.each("text", "'no'").await,
        scene.each("text", "NULL::text").await,
        scene.each("json", "NULL::json").await,
        scene.each("bigint", "1000").await,
        scene.each("boolean", "true").await,
        "false".to_owned(),
    ];
    check(&scene, Query::Finish, &finish).await;

    scene.run("DELETE FROM job_executions WHERE status = 'running'").await;
    scene.rows("'s:waits' || n", WAITING, "pending", "now()").await;
    let waiting = scene.of_rows("bigint", "id", "pending").await;
    let due = ["100000".to_owned(), "NULL".to_owned(), "NULL".to_owned(), instance()];
    for jobs in ["NULL", &claims[1]] {
        check(&scene, Query::Due, &[due.as_slice(), &[jobs.to_owned(), "'{}'".to_owned()]].concat()).await;
    }
    for at_once in ["NULL::integer", "5"] {
        let at_once = scene.each("integer", at_once).await;
        let holds = scene.each("boolean", if at_once.contains('5') { "false" } else { "true" }).await;
        let take = [
            waiting.clone(),
            uuids.clone(),
            holds,
            claim[2].clone(),
            claim[3].clone(),
            uuids.clone(),
            nobody.clone(),
            at_once.clone(),
        ];
        check(&scene, Query::Take, &take).await;
        check(&scene, Query::TakeFate, &[waiting.clone(), uuids.clone(), uuids.clone(), nobody.clone(), at_once]).await;
    }
    scene.run(&format!("DROP SCHEMA {} CASCADE", scene.statements.schema())).await;
}

#[tokio::test]
async fn a_batch_over_fresh_tables_reads_each_request_s_rows_once() {
    batches_are_read_once(Tables::Fresh).await;
}

#[tokio::test]
async fn a_batch_over_tables_that_outgrew_their_statistics_reads_each_request_s_rows_once() {
    batches_are_read_once(Tables::Outgrown).await;
}

/// R1, R2, R9, R12, R17: what a batch costs grows with the batch alone.
#[tokio::test]
async fn a_batch_over_a_long_history_reads_each_request_s_rows_once() {
    batches_are_read_once(Tables::Analysed).await;
}

/// Every index of the rows, and a statement that reads by it: another is written at each execution for nothing.
#[tokio::test]
async fn each_index_of_the_executions_is_what_a_statement_reads_by() {
    let scene = Scene::new(Tables::Analysed).await;
    scene.rows("'s:due' || n", BATCH, "running", "now()").await;
    scene.rows("'s:waits' || n", WAITING, "pending", "now()").await;
    scene.run("ANALYZE job_executions").await;
    let own = |text: &str| text.replace("{schema}", &format!("\"{}\"", scene.statements.schema()));
    let page = |filter: &[(usize, &str)]| {
        let value = |nth| filter.iter().find_map(|(at, value)| (*at == nth).then_some(*value)).unwrap_or("NULL");
        (1..=10).map(value).map(str::to_owned).chain(["0".to_owned(), "50".to_owned()]).collect::<Vec<_>>()
    };
    let jobs = || "'{job1,job2}'".to_owned();
    let ended = own("SELECT e.job_id::text, max(e.fence) FROM {schema}.job_executions AS e
                     WHERE e.finished_at BETWEEN $1::timestamptz AND $1 + interval '10 minutes' GROUP BY e.job_id");
    let text = |query| scene.statements.text(query).to_owned();
    let nobody = || format!("'{}'", uuid::Uuid::nil());
    let reads = [
        ("job_executions_pkey", text(Query::Execution), vec!["1".to_owned()]),
        ("job_executions_pkey", text(Query::Page), page(&[])),
        ("job_executions_pkey", text(Query::Page), page(&[(7, "now() - interval '1 hour'")])),
        (
            "job_executions_pkey",
            text(Query::PruneLook),
            vec!["now() - interval '30 days'".to_owned(), "1000".to_owned()],
        ),
        ("job_executions_occurrence_key", text(Query::Survey), vec![jobs(), jobs(), "0".to_owned(), "101".to_owned()]),
        ("job_executions_occurrence_key", text(Query::NewestAttempt), vec!["'job1'".to_owned(), "'s:1'".to_owned()]),
        (
            "job_executions_occurrence_key",
            text(Query::FindClaim),
            vec![nobody(), "'job1'".to_owned(), "'s:1'".to_owned(), "NULL".to_owned()],
        ),
        (
            "job_executions_pkey",
            text(Query::FindClaim),
            vec![nobody(), "NULL".to_owned(), "NULL".to_owned(), "1".to_owned()],
        ),
        (
            "ix_job_executions_job_id",
            text(Query::PruneLookJob),
            vec!["now() - interval '30 days'".to_owned(), "1000".to_owned(), "'job1'".to_owned()],
        ),
        ("ix_job_executions_job_id", text(Query::Recent), vec![jobs(), "20".to_owned()]),
        ("ix_job_executions_job_id", text(Query::Latest), vec![jobs()]),
        (
            "ix_job_executions_pending",
            text(Query::Due),
            vec![
                "100".to_owned(),
                "NULL".to_owned(),
                "NULL".to_owned(),
                nobody(),
                "NULL".to_owned(),
                "'{}'".to_owned(),
            ],
        ),
        ("ix_job_executions_holder", text(Query::Holder), vec!["'job1'".to_owned()]),
        ("ix_job_executions_queued", text(Query::MakeWay), vec![jobs()]),
        ("ix_job_executions_running", text(Query::RecoverLook), vec!["100".to_owned(), "1000".to_owned()]),
        (
            "ix_job_executions_range",
            text(Query::DecideView),
            vec!["'{job1}'".to_owned(), "'{0}'".to_owned(), "'{101}'".to_owned()],
        ),
        ("ix_job_executions_for_instance", text(Query::Leave), vec![nobody()]),
        ("ix_job_executions_finished", text(Query::Page), page(&[(9, "now() + interval '1 minute'")])),
        ("ix_job_executions_finished", ended, vec!["now()".to_owned()]),
    ];
    let anew = [Query::Page, Query::PageCount, Query::Summary].map(|query| scene.statements.text(query));
    for (index, text, arguments) in &reads {
        for planned in [Planned::Anew, Planned::Once] {
            // A filter that may be left out is planned for what is asked.
            if planned == Planned::Once && anew.contains(&text.as_str()) {
                continue;
            }
            let plan = scene.explain("", text, planned, arguments).await;
            let read = indexes(&plan[0]["Plan"]);
            assert!(
                read.iter().any(|read| read == index),
                "{index} is not read, but {read:?}, planned {planned:?}, by {text}"
            );
        }
    }
    let all = format!(
        "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes
         WHERE schemaname = '{}' AND tablename = 'job_executions'",
        scene.statements.schema()
    );
    let all: String = scene.client.query_one(&all, &[]).await.expect("the indexes").get(0);
    let mut read: Vec<&str> = reads.iter().map(|(index, ..)| *index).collect();
    read.sort_unstable();
    read.dedup();
    assert_eq!(all.split(' ').collect::<Vec<_>>(), read, "each index is read by a statement");
    let size = "SELECT (pg_relation_size('job_executions') + pg_indexes_size('job_executions')) / count(*) FROM job_executions";
    let size: i64 = scene.client.query_one(size, &[]).await.expect("a size").get(0);
    assert!(size <= 420, "{size} bytes a row with its index entries");
    scene.run(&format!("DROP SCHEMA {} CASCADE", scene.statements.schema())).await;
}

/// Rows that wait behind each other are not read for each other.
#[tokio::test]
async fn a_look_at_a_long_backlog_reads_what_it_answers() {
    let scene = Scene::new(Tables::Fresh).await;
    scene.run("UPDATE job_revisions SET policies = '{\"overlap\": \"allow\"}' WHERE job_id = 'job1'").await;
    scene.run("INSERT INTO job_executions (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, created_at)
               SELECT 'job1', 'm:' || n, 1, 3, 'manual', 'pending', now(), now(), now() FROM generate_series(1, 20000) AS n").await;
    let due = |limit: usize| {
        [
            limit.to_string(),
            "NULL".to_owned(),
            "NULL".to_owned(),
            format!("'{}'::uuid", uuid::Uuid::nil()),
            "NULL".to_owned(),
            "'{}'".to_owned(),
        ]
    };
    let rows = scene.read(Query::Due, Planned::Anew, &due(BATCH)).await / BATCH as f64;
    // Its caught-up rows are looked for among them once.
    assert!(rows <= 40.0, "{rows:.0} rows for each that is answered");
    scene.run(&format!("DROP SCHEMA {} CASCADE", scene.statements.schema())).await;
}
