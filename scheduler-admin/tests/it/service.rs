//! A service with a running scheduler, its API, and a client.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, request::Parts},
};
use http_body_util::BodyExt as _;
use scheduler_admin::{
    AdminApi, AuthError, Authenticator, Grant, Permission, Principal, Roles, async_trait, health_router,
};
use scheduler_core::{
    RunningScheduler, Scheduler,
    clock::ManualClock,
    extract::{Params, State},
    identity::ExecutionId,
    job::{Job, OverlapPolicy},
    outcome::{JobError, Outcome},
    store::{AuditEntry, AuditQuery, OperatorStore as _, memory::MemoryStore},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::store::TestStore;

pub(crate) const PREFIX: &str = "/api/v1/scheduled-jobs";

/// Callers by their tokens, each with the role of that name.
#[derive(Debug)]
pub(crate) struct Tokens;

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, request: &Parts) -> Result<Principal, AuthError> {
        let header = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(AuthError::Unauthenticated)?;
        match token {
            "super" | "hr" | "employee" | "payroll" | "tagged" | "runner" | "stranger" => {
                Ok(Principal::new(token, token).from("10.0.3.7"))
            }
            // Shows what an authenticator sees.
            "path" => Ok(Principal::new(request.uri.path(), "super")),
            "directory-away" => Err(AuthError::Unavailable),
            _ => Err(AuthError::Unauthenticated),
        }
    }
}

/// The roles of the HRIS, and some that see a part of it.
pub(crate) fn roles() -> Roles {
    Roles::new()
        .role("super", Grant::all())
        .role("hr", Grant::of([Permission::Read]))
        .role("employee", Grant::of([]))
        .role("payroll", Grant::all().on_jobs(["ga*", "typed"]))
        .role("tagged", Grant::all().on_tags(["hris"]))
        .role("runner", Grant::of([Permission::Read]).on_jobs(["*"]))
        .role("runner", Grant::of([Permission::Execute]).on_jobs(["typed"]))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Days {
    #[serde(default)]
    days: u32,
}

/// What lets `gated` end.
#[derive(Debug, Clone)]
pub(crate) struct Gate(pub(crate) Arc<Semaphore>);

pub(crate) fn jobs() -> Vec<Job> {
    vec![
        Job::builder("attendance")
            .name("Daily attendance")
            .description("Gives every active employee a row.")
            .tags(["hris"])
            .cron("30 0 * * *")
            .tz("Asia/Jakarta")
            .run(|| async { Outcome::succeeded("Total: 1").with_data(json!({ "created": 1 })) }),
        Job::builder("disabled").cron("0 0 * * *").enabled(false).run(|| async {}),
        Job::builder("failing").manual().run(|| async { Err::<Outcome, _>(JobError::permanent("no luck")) }),
        Job::builder("gated").manual().run(|State(gate): State<Gate>| async move {
            gate.0.acquire().await.expect("the gate is never closed").forget();
        }),
        Job::builder("each_minute").every(Duration::from_secs(60)).enabled(false).run(|| async {}),
        Job::builder("numbers")
            .manual()
            .run(|| async { Outcome::succeeded("").with_data(json!([9_007_199_254_740_993_u64, i64::MIN, u64::MAX])) }),
        Job::builder("typed")
            .manual()
            .overlap(OverlapPolicy::Allow)
            .run(|Params(days): Params<Days>| async move { format!("{} days", days.days) }),
    ]
}

/// The service.
pub(crate) struct Service {
    pub(crate) scheduler: RunningScheduler,
    pub(crate) store: TestStore,
    pub(crate) memory: MemoryStore,
    pub(crate) clock: ManualClock,
    pub(crate) gate: Gate,
    pub(crate) app: Router,
}

impl Service {
    pub(crate) async fn start() -> Self {
        // 19:00 in Jakarta.
        let clock = ManualClock::new("2025-11-02T12:00:00Z".parse().expect("an instant"));
        let memory = MemoryStore::new().with_clock(Arc::new(clock.clone())).declared_shared();
        Self::start_with(memory, clock, jobs()).await
    }

    pub(crate) async fn start_with(memory: MemoryStore, clock: ManualClock, jobs: Vec<Job>) -> Self {
        let store = TestStore::new(memory.clone());
        let gate = Gate(Arc::new(Semaphore::new(0)));
        let scheduler = Scheduler::builder(store.clone()).jobs(jobs).state(gate.clone()).clock(clock.clone());
        let scheduler = scheduler.build().expect("parts that fit").start().await.expect("a start");
        let handle = scheduler.handle().clone();
        let app = AdminApi::new(handle.clone(), Tokens, roles()).router().merge(health_router(handle));
        Self { scheduler, store, memory, clock, gate, app }
    }

    /// A request below the prefix by the super admin.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Call::get(path)).await
    }

    /// A trigger by the super admin.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Call::post(path).json(&body)).await
    }

    /// A trigger whose end is awaited; its data.
    pub(crate) async fn run(&self, job: &str) -> Value {
        let answer = self.call(Call::post(&format!("/{job}/trigger?wait=30s"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json["data"].clone()
    }

    /// An execution once it has ended.
    pub(crate) async fn ended(&self, id: i64) -> Value {
        let handle = self.scheduler.handle();
        let row = handle.execution(ExecutionId(id)).await.expect("in memory").expect("it is there");
        let ended = handle.wait(&row.job_id, &row.occurrence, Duration::from_secs(30)).await;
        assert!(ended.expect("in memory").is_some_and(|row| row.status.is_final()));
        self.get(&format!("/executions/{id}")).await.data().clone()
    }

    /// An answer's text.
    pub(crate) async fn text(&self, path: &str) -> String {
        let response = self.app.clone().oneshot(Call::get(path).into_request()).await.expect("the router never fails");
        let bytes = response.into_body().collect().await.expect("a whole body").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    /// All entries of the audit, oldest first.
    pub(crate) async fn audit(&self) -> Vec<AuditEntry> {
        let query = AuditQuery { limit: 1_000, ..AuditQuery::default() };
        let mut entries = self.memory.audit(&query).await.expect("in memory");
        entries.reverse();
        entries
    }

    pub(crate) async fn call(&self, call: Call) -> Answer {
        send(self.app.clone(), call.request).await
    }
}

/// Sends a request, and reads an answer that must be an envelope with the headers that all have.
pub(crate) async fn send(app: Router, request: Request<Body>) -> Answer {
    // Far beyond what any of it takes: a hang is a failed test that says where.
    let limit = Duration::from_secs(30);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = tokio::time::timeout(limit, app.oneshot(request)).await.expect("an answer within 30 s");
    let (parts, body) = response.expect("the router never fails").into_parts();
    let bytes = body.collect().await.expect("a whole body").to_bytes();
    let shown: String = uri.to_string().chars().take(200).collect();
    assert_eq!(parts.headers["cache-control"], "no-store", "{method} {shown}");
    assert_eq!(parts.headers["x-content-type-options"], "nosniff", "{method} {shown}");
    if parts.status == StatusCode::NOT_MODIFIED {
        assert!(bytes.is_empty() && !parts.headers.contains_key("content-type"), "{method} {shown}");
        return Answer { status: parts.status, headers: parts.headers, json: Value::Null };
    }
    assert_eq!(parts.headers["content-type"], "application/json", "{method} {shown}");
    let json = match method {
        Method::HEAD => Value::Null,
        _ => serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{method} {shown}: {error}: {bytes:?}")),
    };
    if method != Method::HEAD {
        let expected = if parts.status.is_success() { "success" } else { "error" };
        assert_eq!(json["status"], expected, "{method} {shown}");
        assert!(json["message"].as_str().is_some_and(|message| !message.is_empty()), "{method} {shown}");
        assert_eq!(json["code"].is_string(), !parts.status.is_success(), "{method} {shown}");
    }
    Answer { status: parts.status, headers: parts.headers, json }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn data(&self) -> &Value {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        &self.json["data"]
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.json["code"].as_str()), (status, Some(code)), "{self:?}");
    }

    pub(crate) fn message(&self) -> &str {
        self.json["message"].as_str().expect("a message")
    }
}

/// A request below the prefix, by the super admin unless told.
pub(crate) struct Call {
    request: Request<Body>,
}

impl Call {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        let uri = format!("{PREFIX}{path}");
        let request = Request::builder().method(method).uri(uri).header("authorization", "Bearer super");
        Self { request: request.body(Body::empty()).expect("a valid request") }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn by(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn anonymous(mut self) -> Self {
        self.request.headers_mut().remove("authorization");
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(name, value.parse().expect("a header's value"));
        self
    }

    /// The header once more.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().append(name, value.parse().expect("a header's value"));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub(crate) fn into_request(self) -> Request<Body> {
        self.request
    }
}
