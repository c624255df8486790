//! The job, run by a service of its own.

use std::{fs, time::Duration};

use scheduler_tests::{Api, Database, Process, server};
use serde_json::Value;

use crate::employees::Employees;

/// As long as a request may wait for the job's end.
const TRIGGER: &str = "/api/v1/scheduled-jobs/auto_create_daily_attendance/trigger?wait=60s";

/// One run of the job.
#[derive(Debug)]
pub(crate) struct Run {
    /// By the scheduler's own measure, from its start to its end.
    pub(crate) took: Duration,
    /// The most that the service ever had resident.
    pub(crate) peak_bytes: u64,
    /// The date that the rows are of.
    pub(crate) date: String,
}

/// Starts a service on the empty database, and runs the job once.
pub(crate) fn run(employees: Employees, database: &Database, workforce_url: &str) -> Run {
    let variables = [
        ("HRIS_HTTP_ADDR", "127.0.0.1:0"),
        ("DATABASE_URL", &database.url()),
        ("REDIS_URL", &server("REDIS_URL")),
        ("WORKFORCE_GRPC_URL", workforce_url),
    ];
    let mut service = Process::start("hris", &[], &variables);
    let api = Api::new(&service.wait_for("HRIS listens on "), Some(&service.wait_for("super_admin ")));
    let answer = api.post(TRIGGER, "", "");
    let execution = &answer.body["data"];
    let all = employees.0;
    assert_eq!(
        (answer.status, &execution["message"]),
        (
            200,
            &Value::from(format!(
                "Auto-create attendance selesai. Total: {all}, Created: {all}, Skipped: 0, Errors: 0"
            ))
        ),
        "{answer:?}\n{}",
        service.printed()
    );
    let run = Run {
        took: Duration::from_secs_f64(execution["duration_seconds"].as_f64().expect("it has ended")),
        peak_bytes: peak_resident(service.id()),
        date: execution["result_data"]["date"].as_str().expect("the job says its date").to_owned(),
    };
    assert!(service.terminate(), "the service stops:\n{}", service.printed());
    run
}

/// The most bytes that a process had resident at any time so far.
fn peak_resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("Linux's /proc");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel counts it");
    let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number of kB");
    kibibytes * 1024
}
