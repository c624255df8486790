//! The dashboard, as a browser without JavaScript sees it.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use scheduler_admin::{AdminApi, SessionKey};
use scheduler_core::{
    Scheduler,
    job::Job,
    outcome::{JobError, Outcome},
    store::{Action, memory::MemoryStore},
};
use tower::ServiceExt as _;

use crate::{
    service::{Call, Service, Tokens, roles, send},
    store::Mode,
};

const KEY: [u8; 32] = [7; 32];

pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        self.headers[header::LOCATION].to_str().expect("a path")
    }

    /// What the forms of this page's session carry.
    fn csrf(&self) -> &str {
        let (_, after) = self.text.split_once("name=\"csrf\" value=\"").expect("there is a form");
        after.split('"').next().expect("it ends")
    }
}

/// Somebody's browser.
pub(crate) struct Browser {
    app: Router,
    cookie: Option<String>,
    pub(crate) language: &'static str,
}

impl Browser {
    fn new(service: &Service) -> Self {
        Self::of(dashboard(service.scheduler.handle().clone()))
    }

    fn of(app: Router) -> Self {
        Self { app, cookie: None, language: "en" }
    }

    pub(crate) async fn signed_in(service: &Service, token: &str) -> Self {
        let mut browser = Self::new(service);
        let page = browser.post("/sign-in", &format!("token={token}&next=")).await;
        assert_eq!(page.location(), "./");
        browser.keep(&page);
        browser
    }

    fn keep(&mut self, page: &Page) {
        let cookie = page.headers[header::SET_COOKIE].to_str().expect("text");
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }

    async fn send(&self, method: Method, path: &str, pairs: &[(&'static str, &str)], body: String) -> Page {
        let mut request = Request::builder().method(method).uri(path).header("accept-language", self.language);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("other=1; {cookie}"));
        }
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).expect("a request");
        let response = self.app.clone().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        if parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/html; charset=utf-8") {
            check(&parts.headers, &text, path);
        }
        Page { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(Method::GET, path, &[], String::new()).await
    }

    async fn post(&self, path: &str, form: &str) -> Page {
        self.send(Method::POST, path, &[], form.to_owned()).await
    }

    /// Opens a question and answers it with yes; where that leads.
    pub(crate) async fn confirm(&self, path: &str, fields: &str) -> Page {
        let question = self.get(path).await;
        assert_eq!(question.status, 200, "{}", question.text);
        let form = format!("csrf={}&{fields}", question.csrf());
        self.post(path.split('?').next().expect("a path"), &form).await
    }
}

fn dashboard(handle: scheduler_core::SchedulerHandle) -> Router {
    let key = SessionKey::try_new(KEY).expect("it is long enough");
    AdminApi::new(handle, Tokens, roles()).dashboard(key).titled("hris").in_environment("testing").router()
}

/// What is true of every page.
fn check(headers: &HeaderMap, text: &str, path: &str) {
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
    for (tag, rest) in [("<script", " src="), ("<html", " lang=")] {
        for (at, _) in text.match_indices(tag) {
            assert!(text[at + tag.len()..].starts_with(rest), "{path}: {}", &text[at..at + 60]);
        }
    }
    for bad in [
        "<style",
        " style=",
        " onclick=",
        " onload=",
        "javascript:",
        "=\"http",
        "=\"//",
        "href=\"/",
        "src=\"/",
        "action=\"/",
    ] {
        assert!(!text.contains(bad), "{path} has `{bad}`");
    }
}

const PAGES: [&str; 7] = ["/", "/jobs/attendance", "/executions", "/executions/1", "/timeline", "/instances", "/audit"];

#[tokio::test]
async fn nobody_sees_a_page_before_they_signed_in_and_then_they_see_the_one_they_wanted() {
    let service = Service::start().await;
    service.run("typed").await;
    let mut browser = Browser::new(&service);
    for page in PAGES {
        let sent = browser.get(page).await;
        assert!(sent.location().contains("sign-in?next="), "{page}: {}", sent.location());
        assert!(!sent.text.contains("attendance"), "{page}");
    }
    assert_eq!(
        browser.get("/executions?status=failed").await.location(),
        "./sign-in?next=executions%3Fstatus%3Dfailed"
    );
    assert_eq!(browser.get("/executions/1").await.location(), "../sign-in?next=executions/1");
    let form = browser.get("/sign-in?next=executions%3Fstatus%3Dfailed").await;
    assert!(form.text.contains("value=\"executions?status=failed\""), "{}", form.text);
    let wrong = browser.post("/sign-in", "token=forged&next=audit").await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text.contains("wrong or has expired") && !wrong.headers.contains_key(header::SET_COOKIE));
    let right = browser.post("/sign-in", "token=super&next=executions%3Fstatus%3Dfailed").await;
    assert_eq!(right.location(), "./executions?status=failed");
    let cookie = right.headers[header::SET_COOKIE].to_str().expect("text");
    assert!(
        cookie.contains("; HttpOnly; SameSite=Lax; Max-Age=43200; Secure") && !cookie.contains("super"),
        "{cookie}"
    );
    browser.keep(&right);
    for page in PAGES {
        let seen = browser.get(page).await;
        assert_eq!(seen.status, 200, "{page}: {}", seen.text);
        assert!(seen.text.contains("testing"), "{page} names its environment");
    }
    let out = browser.post("/sign-out", &format!("csrf={}", browser.get("/").await.csrf())).await;
    assert_eq!(out.location(), "./sign-in");
    assert!(out.headers[header::SET_COOKIE].to_str().is_ok_and(|cookie| cookie.contains("Max-Age=0")));
}

#[tokio::test]
async fn a_forged_or_ended_session_is_none_and_a_role_that_may_not_read_gets_none() {
    let service = Service::start().await;
    let mut browser = Browser::signed_in(&service, "super").await;
    let cookie = browser.cookie.clone().expect("it has one");
    service.clock.advance(std::time::Duration::from_secs(12 * 60 * 60));
    assert_eq!(browser.get("/").await.status, 303);
    for forged in [
        format!("{cookie}0"),
        cookie.replacen('.', "0.", 1),
        "scheduler_session=".to_owned(),
        "scheduler_session=%00.%00".to_owned(),
    ] {
        browser.cookie = Some(forged);
        assert_eq!(browser.get("/").await.status, 303);
    }
    for token in ["employee", "stranger"] {
        let page = browser.post("/sign-in", &format!("token={token}")).await;
        assert_eq!(page.status, 403, "{token}");
        assert!(!page.headers.contains_key(header::SET_COOKIE));
    }
    assert_eq!(browser.post("/sign-in", "token=directory-away").await.status, 503);
    assert_eq!(browser.post("/sign-in", "token=a%0Ab").await.status, 401);
}

#[tokio::test]
async fn a_job_is_run_paused_resumed_and_its_runs_are_cancelled_and_retried_by_forms() {
    let service = Service::start().await;
    let browser = Browser::signed_in(&service, "super").await;
    let question = browser.get("/jobs/gated/trigger").await;
    assert!(
        question.text.contains("Run now: gated") && question.text.contains("testing"),
        "it names job and environment"
    );
    let run = browser.confirm("/jobs/gated/trigger", "reason=a+try").await;
    let path = run.location().strip_prefix("../..").expect("it leads to the root").to_owned();
    assert!(path.starts_with("/executions/"), "{path}");
    let again = browser.confirm("/jobs/gated/trigger", "").await;
    assert_eq!(again.status, 409);
    assert!(again.text.contains("already_running"), "{}", again.text);
    let cancelled = browser.confirm(&format!("{path}/cancel"), "").await;
    assert_eq!(cancelled.location(), format!("../..{path}"));
    let id = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
    service.gate.0.add_permits(1);
    service.ended(id).await;

    assert_eq!(
        browser.confirm("/jobs/attendance/pause", "hours=8&reason=moving").await.location(),
        "../../jobs/attendance"
    );
    let paused = browser.get("/jobs/attendance").await.text;
    assert!(
        paused.contains("moving") && paused.contains("2025-11-03 03:00:00 WIB") && paused.contains("attendance/resume"),
        "{paused}"
    );
    let row = "class=\"id\" href=\"jobs/attendance\"";
    assert!(browser.get("/?show=paused").await.text.contains(row));
    browser.confirm("/jobs/attendance/resume", "").await.location();
    assert!(!browser.get("/?show=paused").await.text.contains(row));

    let failed = service.run("failing").await["id"].clone();
    let retried = browser.confirm(&format!("/executions/{failed}/retry"), "").await;
    assert!(retried.location().starts_with("../../executions/"));
    assert!(browser.get("/?show=failing").await.text.contains("class=\"id\" href=\"jobs/failing\""));
    let seen: Vec<_> = service
        .audit()
        .await
        .iter()
        .filter(|entry| entry.record.refused.is_none())
        .map(|entry| entry.record.action)
        .collect();
    assert_eq!(seen, [Action::Trigger, Action::Cancel, Action::Pause, Action::Resume, Action::Trigger, Action::Retry]);
    assert_eq!(service.audit().await[0].record.actor.reason.as_deref(), Some("a try"));
}

#[tokio::test]
async fn one_occurrence_is_skipped_and_a_backfill_is_shown_before_it_is_done() {
    let service = Service::start().await;
    let browser = Browser::signed_in(&service, "super").await;
    let job = browser.get("/jobs/attendance").await.text;
    let (_, link) = job.split_once("href=\"../jobs/attendance/skip?at=").expect("the next one can be skipped");
    let at = link.split('"').next().expect("it ends");
    let skipped = browser.confirm(&format!("/jobs/attendance/skip?at={at}"), &format!("at={at}")).await;
    assert_eq!(skipped.location(), "../../jobs/attendance");
    let job = browser.get("/jobs/attendance").await.text;
    assert!(job.contains("by request"), "it is in the history");
    assert!(!job.contains(&format!("skip?at={at}")), "and can't be skipped once more");

    let range = "from=2025-10-31T00%3A00&to=2025-11-02T00%3A00";
    let dry = browser.confirm("/jobs/attendance/backfill", range).await;
    assert_eq!(dry.status, 200);
    assert_eq!(dry.text.matches("would run").count(), 2, "{}", dry.text);
    assert_eq!(service.get("/attendance/history?origin=backfill").await.json["meta"]["total_items"], 0);
    let done = browser.post("/jobs/attendance/backfill", &format!("csrf={}&{range}&sure=1", dry.csrf())).await;
    assert_eq!(done.location(), "../../jobs/attendance");
    assert_eq!(service.get("/attendance/history?origin=backfill").await.json["meta"]["total_items"], 2);
    assert_eq!(browser.confirm("/jobs/attendance/backfill", "from=yesterday&to=").await.status, 422);
}

#[tokio::test]
async fn a_form_of_another_session_or_site_does_nothing_and_is_in_the_audit() {
    let service = Service::start().await;
    let (own, other) = (Browser::signed_in(&service, "super").await, Browser::signed_in(&service, "super").await);
    let (token, foreign) = (own.get("/").await.csrf().to_owned(), other.get("/").await.csrf().to_owned());
    let path = "/jobs/attendance/pause";
    for form in [String::new(), "csrf=".to_owned(), format!("csrf={foreign}"), format!("csrf={token}0")] {
        let page = own.post(path, &form).await;
        assert_eq!(page.status, 403, "{form}");
    }
    for site in [[("sec-fetch-site", "cross-site"), ("host", "a")], [("origin", "https://evil.example"), ("host", "a")]]
    {
        let page = own.send(Method::POST, path, &site, format!("csrf={token}")).await;
        assert_eq!(page.status, 403);
    }
    let cross = own.send(Method::POST, "/sign-in", &[("sec-fetch-site", "cross-site")], "token=super".to_owned()).await;
    assert_eq!(cross.status, 403, "nobody is signed in from elsewhere");
    assert!(service.get("/attendance").await.data()["pause"].is_null());
    let audit = service.audit().await;
    assert_eq!(audit.len(), 6);
    assert!(audit.iter().all(|entry| entry.record.refused.is_some() && entry.record.action == Action::Pause));
    assert_eq!(own.post(path, &format!("csrf={token}")).await.status, 303);
}

#[tokio::test]
async fn who_only_reads_is_shown_no_action_and_may_do_none() {
    let service = Service::start().await;
    service.run("failing").await;
    let browser = Browser::signed_in(&service, "hr").await;
    for page in PAGES {
        let text = browser.get(page).await.text;
        for action in ["/trigger", "/pause", "/skip", "/backfill", "/retry", "/cancel"] {
            assert!(!text.contains(action), "{page} offers {action}");
        }
    }
    let token = browser.get("/").await.csrf().to_owned();
    for path in [
        "/jobs/typed/trigger",
        "/jobs/typed/pause",
        "/jobs/typed/resume",
        "/jobs/typed/skip",
        "/jobs/typed/backfill",
        "/executions/1/cancel",
        "/executions/1/retry",
    ] {
        assert_eq!(browser.get(path).await.status, 403, "{path}");
        let page = browser.post(path, &format!("csrf={token}")).await;
        assert_eq!(page.status, 403, "{path}");
        assert!(page.text.contains("scheduled_job."), "{path}");
    }
    assert_eq!(
        service
            .audit()
            .await
            .iter()
            .filter(|entry| entry.record.refused.is_some() && entry.record.actor.who == "hr")
            .count(),
        14
    );
}

#[tokio::test]
async fn a_job_outside_one_s_scope_is_on_no_page() {
    let service = Service::start().await;
    let hidden = service.run("attendance").await["id"].clone();
    service.run("typed").await;
    let browser = Browser::signed_in(&service, "payroll").await;
    for page in ["/", "/executions", "/timeline", "/instances", "/audit", "/executions.csv", "/executions.json"] {
        let page = browser.get(page).await;
        assert_eq!(page.status, 200);
        assert!(!page.text.contains("attendance"), "{}", page.text);
    }
    for path in ["/jobs/attendance".to_owned(), format!("/executions/{hidden}"), "/jobs/attendance/pause".to_owned()] {
        assert_eq!(browser.get(&path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_others_wrote_is_escaped_and_turns_nothing_round() {
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}\u{1b}[31m";
    let job = Job::builder("hostile").name(hostile).description(hostile).tags([hostile]).manual();
    let job = job.run(move || async move {
        Err::<Outcome, _>(JobError::permanent(format!("{hostile}{}", "x".repeat(1_000_000))))
    });
    let scheduler = Scheduler::builder(MemoryStore::new()).jobs([job]).build().expect("parts that fit").start().await;
    let scheduler = scheduler.expect("a start");
    let handle = scheduler.handle();
    let wanted =
        scheduler_core::TriggerRequest::new("hostile".parse().expect("a valid id")).by(hostile).with_reason(hostile);
    let run = handle.trigger(wanted).await.expect("it is taken").execution;
    handle.wait(&run.job_id, &run.occurrence, std::time::Duration::from_secs(30)).await.expect("in memory");
    let mut browser = Browser::of(dashboard(handle.clone()));
    let signed_in = browser.post("/sign-in", "token=super").await;
    browser.keep(&signed_in);
    for path in [
        "/",
        "/?q=%3Cscript%3E%22",
        "/jobs/hostile",
        "/executions",
        "/executions?actor=%3Cscript%3E%22%3E",
        "/executions/1",
        "/timeline",
        "/audit",
        "/jobs/hostile/trigger",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        for bad in ["<script>alert", "<img", "\u{202e}", "\u{1b}"] {
            assert!(!page.text.contains(bad), "{path} has {bad:?}");
        }
        assert!(page.text.len() < 200_000, "{path}: {}", page.text.len());
    }
    assert!(browser.get("/executions/1").await.text.contains("cut, so many characters more"));
}

#[tokio::test]
async fn no_answer_and_no_page_shows_a_secret() {
    let job = Job::builder("leaky").manual().run(|| async {
        let message = "connect postgres://hris:hunter2@db/hris with Authorization: Bearer hunter2HUNTER2";
        Outcome::failed(message).with_data(serde_json::json!({ "config": { "password": "hunter2", "rows": 5 } }))
    });
    let scheduler = Scheduler::builder(MemoryStore::new()).jobs([job]).build().expect("parts that fit").start().await;
    let scheduler = scheduler.expect("a start");
    let handle = scheduler.handle();
    let wanted = scheduler_core::TriggerRequest::new("leaky".parse().expect("a valid id"));
    let wanted =
        wanted.by("ayu").with_reason("password=hunter2").with_params(serde_json::json!({ "api_key": "hunter2" }));
    let run = handle.trigger(wanted).await.expect("it is taken").execution;
    handle.wait(&run.job_id, &run.occurrence, std::time::Duration::from_secs(30)).await.expect("in memory");
    let api = AdminApi::new(handle.clone(), Tokens, roles()).router();
    for path in ["", "/leaky", "/leaky/history", "/executions/1", "/audit"] {
        let answer = send(api.clone(), Call::get(path).into_request()).await.json.to_string();
        assert!(!answer.contains("hunter2"), "{path}: {answer}");
        assert!(answer.contains("[redacted]") || path.is_empty(), "{path}: {answer}");
    }
    let mut browser = Browser::of(dashboard(handle.clone()));
    let signed_in = browser.post("/sign-in", "token=super").await;
    browser.keep(&signed_in);
    for path in ["/", "/jobs/leaky", "/executions", "/executions/1", "/executions.csv", "/executions.json", "/audit"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.text.contains("hunter2"), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn pages_speak_english_and_indonesian_and_keep_what_was_chosen() {
    let service = Service::start().await;
    let mut browser = Browser::signed_in(&service, "super").await;
    assert!(browser.get("/").await.text.contains("At 00:30 every day"));
    browser.language = "id-ID,id;q=0.9";
    let page = browser.get("/").await.text;
    assert!(
        page.contains("lang=\"id\"") && page.contains("Setiap hari pukul 00.30") && page.contains("Jalankan"),
        "{page}"
    );
    let chosen = browser.get("/?lang=en").await;
    assert!(chosen.headers[header::SET_COOKIE].to_str().is_ok_and(|cookie| cookie.starts_with("scheduler_lang=en;")));
    browser.cookie = browser.cookie.map(|cookie| format!("{cookie}; scheduler_lang=en"));
    assert!(browser.get("/jobs/attendance").await.text.contains("Next occurrences"));
}

#[tokio::test]
async fn it_works_from_a_sub_path() {
    let service = Service::start().await;
    service.run("typed").await;
    let app = Router::new().nest_service("/ops/jobs", dashboard(service.scheduler.handle().clone()));
    let mut browser = Browser::of(app);
    let bare = browser.get("/ops/jobs").await;
    assert_eq!((bare.status.as_u16(), bare.headers[header::LOCATION].to_str().ok()), (308, Some("jobs/")));
    assert_eq!(browser.get("/ops/jobs/").await.location(), "./sign-in?next=");
    let page = browser.post("/ops/jobs/sign-in", "token=super").await;
    browser.keep(&page);
    for path in PAGES {
        assert_eq!(browser.get(&format!("/ops/jobs{path}")).await.status, 200, "{path}");
    }
    let css = browser.get("/ops/jobs/static/app.css?v=1").await;
    assert_eq!(
        (css.status, css.headers[header::CONTENT_TYPE].to_str().ok()),
        (StatusCode::OK, Some("text/css; charset=utf-8"))
    );
}

#[tokio::test]
async fn a_service_without_jobs_says_how_they_are_linked_and_one_without_its_store_says_so() {
    let service = Service::start_with(
        MemoryStore::new(),
        scheduler_core::clock::ManualClock::new(chrono::DateTime::UNIX_EPOCH),
        Vec::new(),
    )
    .await;
    let browser = Browser::signed_in(&service, "super").await;
    assert!(browser.get("/").await.text.contains("jobs![…]"));
    assert!(browser.get("/timeline").await.text.contains("jobs![…]"));
    service.store.set(Mode::Away);
    for page in ["/", "/executions", "/timeline", "/audit", "/executions.csv", "/executions.json"] {
        let away = browser.get(page).await;
        assert_eq!(away.status, 503, "{page}");
        assert!(away.text.contains("The store does not answer") && away.text.contains("data-again"), "{}", away.text);
        assert!(
            away.text.contains("<noscript><meta http-equiv=\"refresh\""),
            "without JavaScript it is read again, too"
        );
        assert!(!away.text.contains(crate::store::SECRET));
    }
    service.store.set(Mode::Panics);
    let broken = browser.get("/").await;
    assert_eq!(broken.status, 500);
    assert!(broken.text.contains("Something went wrong inside") && !broken.text.contains(crate::store::SECRET));
}

#[tokio::test]
async fn executions_are_found_and_paged() {
    let service = Service::start().await;
    for _ in 0..3 {
        service.run("typed").await;
    }
    service.run("failing").await;
    let browser = Browser::signed_in(&service, "super").await;
    let found = browser.get("/executions?job=&status=failed&origin=&actor=&hours=24").await.text;
    assert!(found.contains("jobs/failing") && !found.contains("jobs/typed"), "{found}");
    let first = browser.get("/executions?job=typed&limit=2").await.text;
    let (_, link) = first.split_once("rel=\"next\" href=\"").expect("a page follows");
    let link = link.split('"').next().expect("it ends").replace("&amp;", "&");
    let second = browser.get(&format!("/executions{link}")).await.text;
    assert!(second.contains("executions/1\"") && !second.contains("executions/3\""), "{second}");
    assert_eq!(browser.get("/executions?status=nothing").await.status, 422);
    assert_eq!(browser.get("/jobs/a%2F..%2Fb").await.status, 404);
    assert_eq!(browser.get("/executions/9007199254740993").await.status, 404);
}
