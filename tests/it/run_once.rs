//! `hris run JOB_ID`: one job, once, and its outcome as JSON.

use scheduler_tests::Process;

#[test]
fn a_job_runs_once_and_its_outcome_is_printed() {
    let mut process = Process::start("hris", &["run", "auto_create_daily_attendance"], &[]);
    assert_eq!(process.exit_code(), 0, "{}", process.printed());
    let line = process.wait_for(r#"{"data":"#);
    let outcome: serde_json::Value = serde_json::from_str(&format!(r#"{{"data":{line}"#)).expect("one line of JSON");
    assert_eq!(outcome["success"], true);
    assert_eq!(outcome["message"], "Auto-create attendance selesai. Total: 150, Created: 150, Skipped: 0, Errors: 0");
    assert_eq!(outcome["data"]["created"], 150);
}

#[test]
fn a_job_that_is_not_there_is_told() {
    let mut process = Process::start("hris", &["run", "no_such_job"], &[]);
    assert_eq!(process.exit_code(), 1);
    assert!(process.wait_for("error: ").contains("there is no job `no_such_job`"));
}
