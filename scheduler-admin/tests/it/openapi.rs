//! The document, and whether what is served does as it says.

use std::{process::Stdio, sync::Arc};

use scheduler_admin::AdminApi;
use scheduler_core::{Scheduler, store::memory::MemoryStore};
use tokio::{net::TcpListener, process::Command, sync::Semaphore};

use crate::service::{Call, Gate, PREFIX, Service, Tokens, jobs, roles};

#[tokio::test]
async fn the_document_is_served_to_who_may_read() {
    let service = Service::start().await;
    let text = service.text("/openapi.json").await;
    assert_eq!(text, include_str!("../../openapi.json"));
    service.call(Call::get("/openapi.json").anonymous()).await.is(401, "unauthenticated");
}

#[tokio::test]
async fn every_path_of_the_document_asks_who_calls_and_what_they_may() {
    let service = Service::start().await;
    let document: serde_json::Value = serde_json::from_str(include_str!("../../openapi.json")).expect("JSON");
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let path =
            path.strip_prefix(PREFIX).expect("below the prefix").replace("{job_id}", "typed").replace("{id}", "1");
        let is_read = operations.get("get").is_some();
        let call = || if is_read { Call::get(&path) } else { Call::post(&path) };
        service.call(call().anonymous()).await.is(401, "unauthenticated");
        service.call(call().by("stranger")).await.is(403, "forbidden");
        service.call(call().by("employee")).await.is(403, "forbidden");
        if !is_read {
            service.call(call().by("hr")).await.is(403, "forbidden");
        }
    }
    assert_eq!(service.get("/executions/recent").await.json["meta"]["total_items"], 0);
}

/// `cargo xtask test` installs schemathesis, and names it in the environment.
#[tokio::test]
async fn no_request_of_schemathesis_is_answered_5xx_or_as_the_document_does_not_say() {
    let program = std::env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned());
    // Every run ends at once.
    let gate = Gate(Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)));
    let scheduler = Scheduler::builder(MemoryStore::new()).jobs(jobs()).state(gate);
    let scheduler = scheduler.build().expect("parts that fit").start().await.expect("a start");
    let app = AdminApi::new(scheduler.handle().clone(), Tokens, roles()).router();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async { axum::serve(listener, app).await });

    let mut command = Command::new(&program);
    command.arg("run").arg(format!("{url}{PREFIX}/openapi.json")).args(["--url", &url]).args([
        "--header",
        "Authorization: Bearer super",
        // A stream has no end to be read to; it has its own tests.
        "--exclude-path-regex",
        "/events$",
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method",
        "--max-examples",
        "40",
        "--seed",
        "1",
        "--generation-database",
        "none",
        "--no-color",
    ]);
    // Where it keeps what it remembers.
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output = command.stdin(Stdio::null()).output().await;
    let output =
        output.unwrap_or_else(|error| panic!("`{program}` can't be run ({error}): `cargo xtask test` installs it"));
    let document: serde_json::Value = serde_json::from_str(include_str!("../../openapi.json")).expect("JSON");
    // But the events, and the document itself.
    let tested = format!("Tested: {}", document["paths"].as_object().expect("paths").len() - 2);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(&tested), "{said}");
    assert_eq!(scheduler.handle().health().degraded, Vec::<String>::new());
    server.abort();
}
