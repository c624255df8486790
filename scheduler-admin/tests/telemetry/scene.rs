//! A scheduler that had some of everything happen to it, once for all tests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Request};
use chrono::{DateTime, TimeDelta, Utc};
use http_body_util::BodyExt as _;
use scheduler_admin::Metrics;
use scheduler_core::{
    TriggerRequest,
    clock::ManualClock,
    execution::Execution,
    identity::JobId,
    job::{CatchUp, Job, OverlapPolicy},
    lock::memory::MemoryLocks,
    outcome::{JobError, Outcome},
    store::Actor,
    testing::ManualScheduler,
};
use tokio::sync::OnceCell;
use tower::ServiceExt as _;

use crate::{sample::Sample, spans};

/// The jobs, each named by what happens to it.
pub(crate) const JOBS: [&str; 6] = ["steady", "flaky", "broken", "panicking", "slow", "paused"];

/// What was served at its end, and what the store had kept.
pub(crate) struct Scene {
    pub(crate) text: String,
    pub(crate) content_type: String,
    pub(crate) samples: Vec<Sample>,
    /// The same while a body ran and the store was away.
    pub(crate) meanwhile: Vec<Sample>,
    pub(crate) rows: Vec<Execution>,
    /// The fields of each `job` span, with their last values.
    pub(crate) spans: Vec<spans::Fields>,
}

impl Scene {
    pub(crate) async fn get() -> &'static Self {
        static SCENE: OnceCell<Scene> = OnceCell::const_new();
        SCENE.get_or_init(play).await
    }

    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        value(&self.samples, name, labels)
    }
}

/// The sum of all series of that name that have these labels.
pub(crate) fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    samples.iter().filter(|sample| sample.name == name && sample.has(labels)).map(|sample| sample.value).sum()
}

fn jobs() -> Vec<Job> {
    let attempts = Arc::new(AtomicU32::new(0));
    vec![
        Job::builder("steady")
            .every(Duration::from_secs(60))
            .start_deadline(Duration::from_secs(30))
            .catch_up(CatchUp::Skip)
            .run(|| async { "done" }),
        Job::builder("flaky").manual().retries(1).run(move || {
            let is_first = attempts.fetch_add(1, Ordering::Relaxed) == 0;
            async move { if is_first { Err(JobError::new("not yet")) } else { Ok(Outcome::succeeded("now")) } }
        }),
        Job::builder("broken").manual().run(|| async { Err::<Outcome, _>(JobError::permanent("no luck")) }),
        Job::builder("panicking").manual().retries(0).run(|| async {
            if true {
                panic!("a bug");
            }
        }),
        Job::builder("slow")
            .manual()
            .overlap(OverlapPolicy::Allow)
            .timeout(Duration::from_secs(20))
            .run(std::future::pending::<()>),
        Job::builder("paused").every(Duration::from_secs(60)).run(|| async {}),
    ]
}

/// Another scheduler, whose lock backend is the claim.
async fn locked(at: DateTime<Utc>) -> ManualScheduler {
    // Its clock stands still after all that happens here, so that everything is due by it and no lease runs out.
    let locks = MemoryLocks::new().with_clock(Arc::new(ManualClock::new(at + TimeDelta::days(1))));
    let job = Job::builder("locked").every(Duration::from_secs(60)).run(|| async {});
    let parts = ManualScheduler::start(at, |it| it.jobs([job]).lock_backend(locks).version("7.1"));
    let mut scheduler = parts.await.expect("parts that fit");
    scheduler.advance(Duration::from_secs(120)).await;
    scheduler
}

async fn play() -> Scene {
    let seen = spans::Seen::default();
    let _seen = tracing::subscriber::set_default(seen.clone());
    let metrics = Metrics::install().expect("the only recorder");
    let at: DateTime<Utc> = "2026-01-31T17:00:30Z".parse().expect("an instant");
    let locked = locked(at).await;
    let parts = ManualScheduler::start(at, |it| it.jobs(jobs()).version("7.1"));
    let mut scheduler = parts.await.expect("parts that fit");
    let id = |job: &str| JobId::parse(job).expect("a job's id");
    let by = Actor::new("ayu");

    let handle = scheduler.handle().clone();
    handle.pause(&id("paused"), &by, None).await.expect("pauses");
    scheduler.advance(Duration::from_secs(5 * 60)).await;
    for job in ["flaky", "broken", "panicking"] {
        scheduler.trigger(TriggerRequest::new(id(job))).await.expect("is accepted");
        scheduler.advance(Duration::from_secs(120)).await;
    }
    handle.resume(&id("paused"), &by).await.expect("resumes");
    // As on a machine that slept for an hour.
    scheduler.clock().advance(Duration::from_secs(60 * 60));
    scheduler.advance(Duration::from_secs(60)).await;

    handle.trigger(TriggerRequest::new(id("slow"))).await.expect("is accepted");
    scheduler.pass(Duration::from_secs(10)).await;
    scheduler.faults().set_away(true);
    scheduler.pass(Duration::from_secs(5)).await;
    let meanwhile = Sample::read(&metrics.render());
    scheduler.faults().set_away(false);
    scheduler.pass(Duration::from_secs(40)).await;

    let mut rows = locked.executions("locked").await;
    for job in JOBS {
        rows.extend(scheduler.executions(job).await);
    }
    let request = Request::get("/metrics").body(Body::empty()).expect("a valid request");
    let answer = metrics.router().oneshot(request).await.expect("answers");
    assert_eq!(answer.status(), 200);
    let content_type = answer.headers()["content-type"].to_str().expect("text").to_owned();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    let text = String::from_utf8(body.to_vec()).expect("UTF-8");
    let samples = Sample::read(&text);
    Scene { text, content_type, samples, meanwhile, rows, spans: seen.spans() }
}
