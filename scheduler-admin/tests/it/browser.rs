//! The dashboard in a real browser.

use std::{process::Stdio, sync::Arc, time::Duration};

use axum::Router;
use scheduler_admin::{AdminApi, SessionKey};
use scheduler_core::{
    RunningScheduler, Scheduler, TriggerRequest,
    store::{Actor, memory::MemoryStore},
};
use tokio::{net::TcpListener, process::Command, sync::Semaphore};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{
    scene,
    service::{Gate, PREFIX, Tokens, roles},
    store::{Mode, TestStore},
};

fn api(scheduler: &RunningScheduler) -> AdminApi {
    AdminApi::new(scheduler.handle().clone(), Tokens, roles())
}

fn dashboard(api: &AdminApi) -> Router {
    let dashboard = api.dashboard(SessionKey::random()).titled("hris").in_environment("testing");
    dashboard.over_plain_http().router()
}

/// `cargo xtask test` installs the browser and what drives it, and names both in the environment.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_does_everything_in_a_browser_with_and_without_javascript() {
    let subscriber = tracing_subscriber::registry().with(scheduler_core::logs::layer());
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    let gate = Gate(Arc::new(Semaphore::new(0)));
    let store = TestStore::new(scene::history(gate.clone()).await);
    let start = async |store: TestStore| {
        let scheduler = scene::parts(Scheduler::builder(store), gate.clone()).build().expect("parts that fit");
        scheduler.start().await.expect("a start")
    };
    let (one, other) = (start(store.clone()).await, start(store.clone()).await);
    // Of the same history, and of a store that stops answering.
    let away = TestStore::new(MemoryStore::new());
    let without_store = start(away.clone()).await;
    away.set(Mode::Away);
    let without_jobs = Scheduler::builder(MemoryStore::new()).build().expect("no job is none too few").start().await;
    let without_jobs = without_jobs.expect("a start");
    let (dewi, id) = (Actor::new("dewi").because("a holiday week"), "attendance.reminder".parse().expect("an id"));
    other.handle().pause(&id, &dewi, None).await.expect("it is paused");
    let asked = TriggerRequest::new("report.weekly".parse().expect("an id")).by("ayu").with_reason("for the board");
    other.handle().trigger(asked).await.expect("it is taken");

    let api = self::api(&one);
    let app = Router::new()
        .nest_service("/ops", dashboard(&api))
        .nest_service("/away", dashboard(&self::api(&without_store)))
        .nest_service("/empty", dashboard(&self::api(&without_jobs)))
        .merge(api.router());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async { axum::serve(listener, app).await });

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/dashboard.mjs");
    let mut command = Command::new("node");
    command.args([script, &format!("{url}/"), &format!("{url}{PREFIX}"), "super"]);
    // `docs/images` in the workspace's root, where they are to be made anew.
    command.args(std::env::var_os("PICTURES"));
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(400), output).await.expect("it ends within minutes");
    let output = output.unwrap_or_else(|error| panic!("`node` can't be run ({error}): `cargo xtask test` installs it"));
    let said = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    server.abort();
}
