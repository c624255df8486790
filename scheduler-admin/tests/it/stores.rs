//! The API over each store that schedulers share, mostly asked of an instance that has none of the jobs.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{StatusCode, header},
};
use chrono::TimeDelta;
use http_body_util::BodyExt as _;
use scheduler_admin::AdminApi;
use scheduler_core::{
    RunningScheduler, Scheduler,
    context::JobContext,
    extract::State,
    identity::ExecutionId,
    job::Job,
    outcome::{JobError, Outcome},
    store::{Store, memory::MemoryStore},
};
use scheduler_postgres::{PostgresConfig, PostgresStore};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::service::{Answer, Call, Gate, Tokens, jobs, roles, send};

/// How long a test waits for what must come, in real time; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A schema of the test's own on the server of `DATABASE_URL`.
struct Schema {
    name: String,
    url: String,
}

impl Schema {
    fn new() -> Self {
        let url = std::env::var("DATABASE_URL").expect("`DATABASE_URL` is set: run `cargo xtask services up`");
        Self { name: format!("admin_test_{}", Uuid::new_v4().simple()), url }
    }

    async fn store(&self) -> PostgresStore {
        let store = PostgresStore::connect_lazy(&self.url).expect("a URL").with_schema(&self.name).expect("a name");
        let store = store.with_pool_size(4);
        store.migrate().await.expect("the schema is migrated");
        store
    }

    async fn drop(self) {
        let config = PostgresConfig::parse(&self.url).expect("a URL");
        let (client, connection) = config.connect().await.expect("the server answers");
        tokio::spawn(connection);
        client.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.name)).await.expect("it is there");
    }
}

/// Tells that the body of `endless` has begun.
#[derive(Debug, Clone)]
struct Begun(Arc<Semaphore>);

/// An instance of the service, on the machine's clock.
struct Instance {
    scheduler: RunningScheduler,
    begun: Begun,
    app: Router,
}

impl Instance {
    async fn start(store: impl Store, jobs: Vec<Job>) -> Self {
        let (gate, begun) = (Gate(Arc::new(Semaphore::new(0))), Begun(Arc::new(Semaphore::new(0))));
        let scheduler = Scheduler::builder(store).jobs(jobs).state(gate).state(begun.clone());
        let scheduler = scheduler.build().expect("parts that fit").start().await.expect("the store answers");
        let app = AdminApi::new(scheduler.handle().clone(), Tokens, roles()).router();
        Self { scheduler, begun, app }
    }

    async fn call(&self, call: Call) -> Answer {
        send(self.app.clone(), call.into_request()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Call::get(path)).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Call::post(path).json(&body)).await
    }

    /// Runs a job to its end for this caller; its execution's id.
    async fn run(&self, job: &str, by: &str) -> Value {
        self.call(Call::post(&format!("/{job}/trigger?wait=30s")).by(by)).await.data()["id"].clone()
    }

    /// The ids of a list's rows.
    async fn ids(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path).await;
        answer.data().as_array().expect("a list").iter().map(|row| row["id"].clone()).collect()
    }

    /// An execution once it has ended.
    async fn ended(&self, id: &Value) -> Value {
        let handle = self.scheduler.handle();
        let row = handle.execution(ExecutionId(id.as_i64().expect("an id"))).await.expect("the store answers");
        let row = row.expect("it is there");
        handle.wait(&row.job_id, &row.occurrence, PATIENCE).await.expect("the store answers");
        self.get(&format!("/executions/{id}")).await.data().clone()
    }
}

/// Two instances on one store: one that has the jobs, and one that has none.
struct Team {
    here: Instance,
    there: Instance,
}

impl Team {
    async fn start<S: Store>(stores: [S; 2]) -> Self {
        let endless = Job::builder("endless").manual().lease_ttl(Duration::from_secs(2)).run(
            |State(begun): State<Begun>, context: JobContext| async move {
                begun.0.add_permits(1);
                context.cancellation_token().cancelled().await;
                Err::<Outcome, _>(JobError::permanent("stopped half-way"))
            },
        );
        let [here, there] = stores;
        let here = Instance::start(here, jobs().into_iter().chain([endless]).collect()).await;
        Self { here, there: Instance::start(there, Vec::new()).await }
    }

    async fn stop(self) {
        self.here.scheduler.shutdown(Duration::ZERO).await;
        self.there.scheduler.shutdown(Duration::ZERO).await;
    }
}

async fn lists_are_filtered_and_paged(Team { here, there }: &Team) {
    let mut typed = Vec::new();
    for by in ["super", "runner", "super"] {
        typed.insert(0, here.run("typed", by).await);
    }
    let failed = here.run("failing", "super").await;
    let all = [vec![failed.clone()], typed.clone()].concat();
    let found = async |query: &str| there.ids(&format!("/executions/recent?{query}")).await;
    assert_eq!(found("").await, all);
    assert_eq!(found("job=typed").await, typed);
    assert_eq!(found("status=failed,timed_out").await, std::slice::from_ref(&failed));
    assert_eq!(found("origin=manual&status=succeeded").await, typed);
    assert_eq!(found("origin=schedule").await, Vec::<Value>::new());
    assert_eq!(found("actor=runner").await, [typed[1].clone()]);
    assert_eq!(found(&format!("instance={}", here.scheduler.handle().instance())).await, all);
    assert_eq!(found(&format!("instance={}", there.scheduler.handle().instance())).await, Vec::<Value>::new());
    assert_eq!(found("from=2020-01-01T00:00:00Z").await, all);
    assert_eq!(found("from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z").await, Vec::<Value>::new());

    let second = there.get("/typed/history?limit=2&page=2").await;
    assert_eq!(second.data()[0]["id"], typed[2]);
    let meta = &second.json["meta"];
    assert_eq!((&meta["total_items"], &meta["total_pages"]), (&json!(3), &json!(2)));
    let (mut path, mut read) = ("/executions/recent?limit=3".to_owned(), Vec::new());
    loop {
        let page = there.get(&path).await;
        read.extend(page.data().as_array().expect("a list").iter().map(|row| row["id"].clone()));
        let Some(cursor) = page.json["meta"]["next_cursor"].as_str() else { break };
        path = format!("/executions/recent?limit=3&cursor={cursor}");
        // What comes meanwhile shifts no page of a cursor.
        here.run("typed", "super").await;
    }
    assert_eq!(read, all);
    assert_eq!(there.get(&format!("/executions/{failed}")).await.data()["message"], "no luck");
}

async fn a_pause_is_seen_on_the_other_instance_and_ends_there(Team { here, there }: &Team) {
    let paused = there.post("/attendance/pause", json!({ "reason": "moving" })).await;
    assert_eq!(paused.data()["paused"], true);
    let seen = here.get("/attendance").await.data().clone();
    assert_eq!((&seen["paused"], &seen["next_run"]), (&json!(true), &Value::Null));
    assert_eq!((&seen["pause"]["reason"], &seen["pause"]["by"]), (&json!("moving"), &json!("super")));
    here.post("/attendance/pause", json!({})).await.is(409, "already_paused");
    assert_eq!(here.post("/attendance/resume", json!({})).await.data()["paused"], false);
    there.post("/attendance/resume", json!({})).await.is(409, "not_paused");
    assert!(here.get("/attendance").await.data()["next_run"].is_string());
}

async fn a_backfill_asked_of_one_instance_runs_on_the_other(Team { here, there }: &Team) {
    let now = here.scheduler.handle().now();
    let at = |days| (now - TimeDelta::days(days)).to_rfc3339();
    let range = |dry_run: bool| json!({ "from": at(3), "to": at(1), "dry_run": dry_run });
    let dry = there.post("/attendance/backfill", range(true)).await;
    assert_eq!((&dry.data()["waits"], &dry.data()["refused"]), (&json!(2), &json!(0)), "{dry:?}");
    assert_eq!(there.ids("/attendance/history").await, Vec::<Value>::new(), "nothing was done");
    let done = there.post("/attendance/backfill", range(false)).await;
    assert_eq!((done.status, &done.json["data"]["waits"]), (StatusCode::ACCEPTED, &json!(2)));
    for occurrence in done.json["data"]["occurrences"].as_array().expect("a list") {
        let row = there.ended(&occurrence["execution_id"]).await;
        assert_eq!((&row["status"], &row["origin"]), (&json!("succeeded"), &json!("backfill")));
        assert_eq!((&row["scheduled_at"], &row["triggered_by"]), (&occurrence["scheduled_at"], &json!("super")));
    }
    let again = there.post("/attendance/backfill", range(true)).await;
    assert_eq!((&again.data()["waits"], &again.data()["occurrences"][0]["refusal"]), (&json!(0), &json!("has_run")));
}

async fn a_cancel_reaches_the_body_on_the_other_instance(Team { here, there }: &Team) {
    let run = here.post("/endless/trigger", json!({})).await.json["data"]["id"].clone();
    let begun = tokio::time::timeout(PATIENCE, here.begun.0.acquire()).await.expect("it begins within 30 s");
    begun.expect("it is never closed").forget();
    let asked = there.post(&format!("/executions/{run}/cancel"), json!({ "reason": "wrong day" })).await;
    assert_eq!((asked.status, &asked.json["data"]["status"]), (StatusCode::ACCEPTED, &json!("running")), "{asked:?}");
    let ended = there.ended(&run).await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("cancelled"), &json!("by_request")), "{ended}");
    there.post(&format!("/executions/{run}/cancel"), json!({})).await.is(409, "already_ended");
}

async fn what_is_done_and_refused_on_each_instance_is_in_the_audit(Team { here, there }: &Team) {
    here.post("/attendance/pause", json!({ "reason": "moving" })).await;
    there.post("/attendance/pause", json!({})).await.is(409, "already_paused");
    there.call(Call::post("/attendance/resume").by("hr")).await.is(403, "forbidden");
    let run = here.run("typed", "runner").await;
    there.post("/executions/7777/cancel", json!({})).await.is(404, "not_found");
    for instance in [here, there] {
        let list = instance.get("/audit").await;
        let row = |row: &Value| (row["action"].clone(), row["actor"].clone(), row["refused"].is_string());
        let seen: Vec<_> = list.data().as_array().expect("a list").iter().map(row).collect();
        let expected = [
            ("cancel", "super", true),
            ("trigger", "runner", false),
            ("resume", "hr", true),
            ("pause", "super", true),
            ("pause", "super", false),
        ];
        assert_eq!(seen, expected.map(|(action, actor, refused)| (json!(action), json!(actor), refused)));
        assert_eq!(list.data()[1]["execution_id"], run);
        let first = &list.data()[4];
        assert_eq!((&first["reason"], &first["address"]), (&json!("moving"), &json!("10.0.3.7")));
        assert_eq!((&first["before"]["paused"], &first["after"]["paused"]), (&json!(false), &json!(true)));
    }
    let ids = there.ids("/audit").await;
    assert_eq!(there.ids("/audit?action=pause&actor=super").await, ids[3..]);
    let page = there.get("/audit?limit=2").await;
    let cursor = page.json["meta"]["next_cursor"].as_str().expect("there is more");
    assert_eq!(here.ids(&format!("/audit?limit=2&cursor={cursor}")).await, ids[2..4]);
}

/// Somebody who listens to an instance.
struct Listener {
    body: Body,
    text: String,
}

impl Listener {
    async fn of(instance: &Instance, call: Call) -> Self {
        let response = instance.app.clone().oneshot(call.into_request()).await.expect("the router never fails");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The events of an execution up to one of this status: their ids and statuses.
    async fn heard(&mut self, id: &Value, last: &str) -> Vec<(String, Value)> {
        let mut heard: Vec<(String, Value)> = Vec::new();
        while heard.last().is_none_or(|(_, status)| status != last) {
            let block = self.block().await;
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            if field("event: ") == "execution" {
                let data: Value = serde_json::from_str(field("data: ")).expect("JSON");
                if data["id"] == *id {
                    heard.push((field("id: ").to_owned(), data["status"].clone()));
                }
            }
        }
        heard
    }

    async fn block(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return block;
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("something within 30 s");
            let data = frame.expect("the stream goes on").expect("a whole frame").into_data().expect("no trailers");
            self.text.push_str(std::str::from_utf8(&data).expect("UTF-8"));
        }
    }
}

async fn what_one_instance_told_is_replayed_by_the_other(Team { here, there }: &Team) {
    let mut listener = Listener::of(there, Call::get("/events")).await;
    let run = here.post("/endless/trigger", json!({})).await.json["data"]["id"].clone();
    let heard = listener.heard(&run, "running").await;
    let (last, _) = heard.last().expect("it was heard").clone();
    // Nobody listens while it ends.
    drop(listener);
    there.post(&format!("/executions/{run}/cancel"), json!({})).await;
    there.ended(&run).await;
    let again = Call::get("/events").header("last-event-id", &last);
    let replayed = Listener::of(here, again).await.heard(&run, "cancelled").await;
    let (id, _) = replayed.last().expect("it was heard").clone();
    // The one that told the beginning tells the end by the same id.
    let again = Call::get("/events").header("last-event-id", &last);
    let (same, _) = Listener::of(there, again).await.heard(&run, "cancelled").await.pop().expect("it was heard");
    assert_eq!(id, same);
}

/// Generates one test a case over each store.
macro_rules! over_both {
    ($($case:ident)*) => {
        mod memory {
            use super::*;

            $(
                #[tokio::test]
                async fn $case() {
                    let store = MemoryStore::new().declared_shared();
                    let team = Team::start([store.clone(), store]).await;
                    super::$case(&team).await;
                    team.stop().await;
                }
            )*
        }

        mod postgres {
            use super::*;

            $(
                #[tokio::test]
                async fn $case() {
                    let schema = Schema::new();
                    let team = Team::start([schema.store().await, schema.store().await]).await;
                    super::$case(&team).await;
                    team.stop().await;
                    schema.drop().await;
                }
            )*
        }
    };
}

over_both! {
    lists_are_filtered_and_paged
    a_pause_is_seen_on_the_other_instance_and_ends_there
    a_backfill_asked_of_one_instance_runs_on_the_other
    a_cancel_reaches_the_body_on_the_other_instance
    what_is_done_and_refused_on_each_instance_is_in_the_audit
    what_one_instance_told_is_replayed_by_the_other
}
