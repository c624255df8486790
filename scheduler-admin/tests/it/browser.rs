//! The dashboard in a real browser.

use std::{process::Stdio, sync::Arc, time::Duration};

use scheduler_admin::{AdminApi, SessionKey};
use scheduler_core::{
    Scheduler,
    context::JobContext,
    extract::State,
    job::Job,
    outcome::{JobError, Outcome},
    store::memory::MemoryStore,
};
use serde_json::json;
use tokio::{net::TcpListener, process::Command, sync::Semaphore};
use tracing::{info, warn};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::service::{Gate, PREFIX, Tokens, roles};

fn jobs() -> Vec<Job> {
    vec![
        Job::builder("attendance.daily_close")
            .name("Close the day")
            .description("Closes yesterday's attendance.")
            .tags(["hr"])
            .cron("30 0 * * *")
            .tz("Asia/Jakarta")
            .run(|| async {}),
        Job::builder("directory.sync")
            .description("Reads the directory.")
            .tags(["it"])
            .cron("*/15 * * * *")
            .run(|| async {}),
        Job::builder("failing")
            .description("Never has any luck.")
            .manual()
            .run(|| async { Err::<Outcome, _>(JobError::permanent("no luck")) }),
        Job::builder("gated").description("Waits until the opener has run.").manual().retries(0).run(
            |State(gate): State<Gate>, context: JobContext| async move {
                context.progress(1, 3);
                info!(gate = "closed", "waits for the opener");
                tokio::select! {
                    permit = gate.0.acquire() => {
                        permit.expect("the gate is never closed").forget();
                        context.progress(3, 3);
                        Ok(())
                    }
                    () = context.cancellation_token().cancelled() => Err(JobError::permanent("told to stop")),
                }
            },
        ),
        Job::builder("opener").manual().run(|State(gate): State<Gate>| async move { gate.0.add_permits(1) }),
        Job::builder("report")
            .description("The weekly report.")
            .tags(["hr"])
            .cron("0 8 * * MON")
            .tz("Asia/Jakarta")
            .timeout(Duration::from_secs(480))
            .run(|context: JobContext| async move {
                info!(page = 1, received = 150, total = 150, "took a page of employees");
                warn!(employee_id = 77, "no attendance row for this employee; counts it and goes on");
                context.progress(150, 150);
                Outcome::succeeded("Total: 150, created: 150").with_data(json!({ "created": 150, "largest": u64::MAX }))
            }),
    ]
}

/// `cargo xtask test` installs the browser and what drives it, and names both in the environment.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_does_everything_in_a_browser_with_and_without_javascript() {
    let subscriber = tracing_subscriber::registry().with(scheduler_core::logs::layer());
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    let gate = Gate(Arc::new(Semaphore::new(0)));
    let scheduler = Scheduler::builder(MemoryStore::new()).jobs(jobs()).state(gate).build().expect("parts that fit");
    let scheduler = scheduler.start().await.expect("a start");
    let api = AdminApi::new(scheduler.handle().clone(), Tokens, roles());
    let dashboard = api.dashboard(SessionKey::random()).titled("hris").in_environment("testing").over_plain_http();
    let app = axum::Router::new().nest_service("/ops", dashboard.router()).merge(api.router());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async { axum::serve(listener, app).await });

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/dashboard.mjs");
    let mut command = Command::new("node");
    command.args([script, &format!("{url}/ops/"), &format!("{url}{PREFIX}"), "super"]);
    // `docs/images` in the workspace's root, where they are to be made anew.
    command.args(std::env::var_os("PICTURES"));
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(300), output).await.expect("it ends within five minutes");
    let output = output.unwrap_or_else(|error| panic!("`node` can't be run ({error}): `cargo xtask test` installs it"));
    let said = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    server.abort();
}
