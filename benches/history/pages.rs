//! The pages of one service, asked without a network.

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, header, request::Parts},
};
use http_body_util::BodyExt as _;
use scheduler::{
    RunningScheduler, Scheduler,
    admin::{AdminApi, AuthError, Authenticator, Grant, Principal, Roles, SessionKey, async_trait},
    job::Job,
    postgres::PostgresStore,
};
use scheduler_tests::Proxy;
use tower::ServiceExt as _;

/// Everybody is the operator.
#[derive(Debug)]
struct Anybody;

#[async_trait]
impl Authenticator for Anybody {
    async fn authenticate(&self, _: &Parts) -> Result<Principal, AuthError> {
        Ok(Principal::new("operator", "operators"))
    }
}

/// A service with daily jobs, its pages, and who is signed in.
pub(crate) struct Pages {
    scheduler: RunningScheduler,
    router: Router,
    cookie: String,
}

impl Pages {
    pub(crate) async fn open(url: &str, jobs: usize) -> Self {
        let store = PostgresStore::connect(url).await.expect("the database answers");
        let jobs = (0..jobs).map(|nth| Job::builder(format!("job-{nth}")).cron("30 0 * * *").run(|| async {}));
        let scheduler = Scheduler::builder(store).jobs(jobs).build().expect("valid jobs");
        let scheduler = scheduler.start().await.expect("the store answers");
        let roles = Roles::new().role("operators", Grant::all());
        let key = SessionKey::try_new([7; 32]).expect("it is long enough");
        let api = AdminApi::new(scheduler.handle().clone(), Anybody, roles);
        let router = api.dashboard(key).titled("history").router().merge(api.router());
        let mut pages = Self { scheduler, router, cookie: String::new() };
        let signed_in =
            pages.send(Request::post("/sign-in").body(Body::from("token=any&next=")).expect("a request")).await;
        let cookie = signed_in.headers()[header::SET_COOKIE].to_str().expect("text");
        pages.cookie = cookie.split(';').next().expect("a name and a value").to_owned();
        pages
    }

    /// The page of the first job's history that begins so many rows back, by its cursor.
    pub(crate) async fn deep(&self, rows: u32) -> String {
        const LIMIT: u32 = 100;
        let history = "/api/v1/scheduled-jobs/job-0/history";
        let request = Request::get(format!("{history}?limit={LIMIT}&page={}", rows / LIMIT));
        let request = request.header("authorization", "Bearer any").body(Body::empty()).expect("a request");
        let bytes = self.send(request).await.into_body().collect().await.expect("a body").to_bytes();
        let answer: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        let cursor = answer["meta"]["next_cursor"].as_str().expect("the job has more rows");
        format!("{history}?limit=20&cursor={cursor}")
    }

    /// How long a page takes, its body read.
    pub(crate) async fn get(&self, path: &str) -> Duration {
        let request = Request::get(path).header("cookie", &self.cookie).header("authorization", "Bearer any");
        let request = request.body(Body::empty()).expect("a request");
        #[expect(clippy::disallowed_methods, reason = "it is what is measured")]
        let begun = Instant::now();
        let answer = self.send(request).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.into_body().collect().await.expect("a body");
        begun.elapsed()
    }

    /// How often a page goes to PostgreSQL: the least of some looks, as the scheduler goes there on its own.
    pub(crate) async fn trips(&self, path: &str, proxy: &Proxy) -> u64 {
        let mut least = u64::MAX;
        for _ in 0..20 {
            let before = proxy.trips();
            self.get(path).await;
            least = least.min(proxy.trips() - before);
        }
        least
    }

    pub(crate) async fn close(self) {
        self.scheduler.shutdown(Duration::from_secs(1)).await;
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.expect("the router never fails")
    }
}
