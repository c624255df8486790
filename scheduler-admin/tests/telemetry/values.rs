//! What is served says what the rows say.

use std::collections::BTreeMap;

use scheduler_core::status::Status;

use crate::scene::{JOBS, Scene, value};

#[tokio::test]
async fn the_text_is_of_the_format_that_prometheus_reads() {
    assert_eq!(Scene::get().await.content_type, "text/plain; version=0.0.4; charset=utf-8");
}

#[tokio::test]
async fn attempts_are_counted_by_the_outcome_that_their_rows_have() {
    let scene = Scene::get().await;
    let mut by_rows = BTreeMap::new();
    for row in scene.rows.iter().filter(|row| row.started_at.is_some()) {
        let reason = row.reason.map_or("", |reason| reason.as_str());
        *by_rows.entry((row.job_id.to_string(), row.status.as_str(), reason)).or_insert(0.0) += 1.0;
    }
    let served = scene.samples.iter().filter(|sample| sample.name == "scheduler_executions_total");
    let served: BTreeMap<_, _> = served
        .map(|sample| {
            let label = |name: &str| sample.label(name).expect("is given");
            ((label("job_id").to_owned(), label("status"), label("reason")), sample.value)
        })
        .collect();
    assert_eq!(served, by_rows);
    let kinds: Vec<_> = served.keys().map(|(job, status, reason)| (job.as_str(), *status, *reason)).collect();
    for expected in [
        ("steady", "succeeded", ""),
        ("flaky", "failed", ""),
        ("flaky", "succeeded", ""),
        ("panicking", "failed", "panic"),
        ("slow", "timed_out", ""),
    ] {
        assert!(kinds.contains(&expected), "{expected:?} is not in {kinds:?}");
    }
}

#[tokio::test]
async fn a_retried_occurrence_is_counted_once_and_by_its_last_outcome() {
    let scene = Scene::get().await;
    let of = |status: &str| scene.value("scheduler_occurrences_total", &[("job_id", "flaky"), ("status", status)]);
    assert_eq!((of("succeeded"), of("failed")), (1.0, 0.0));
    assert_eq!(scene.value("scheduler_executions_total", &[("job_id", "flaky")]), 2.0);
}

#[tokio::test]
async fn what_was_missed_or_skipped_is_counted_as_often_as_the_rows_tell() {
    let scene = Scene::get().await;
    for (status, word) in [(Status::Missed, "missed"), (Status::Skipped, "skipped")] {
        for job in JOBS {
            let rows = scene.rows.iter().filter(|row| row.job_id.as_str() == job && row.status == status);
            let by_rows: u64 = rows.map(|row| row.missed_count.unwrap_or(1)).sum();
            let served = scene.value("scheduler_occurrences_total", &[("job_id", job), ("status", word)]);
            assert_eq!(served, by_rows as f64, "{job}, {word}");
        }
    }
    let of = |job, status| scene.value("scheduler_occurrences_total", &[("job_id", job), ("status", status)]);
    assert!(of("steady", "missed") >= 58.0, "an hour is missed but for what is within the deadline");
    assert!(of("paused", "skipped") >= 10.0, "eleven minutes were paused");
}

#[tokio::test]
async fn what_can_fail_is_served_before_it_has() {
    let scene = Scene::get().await;
    for status in ["failed", "timed_out", "abandoned", "missed"] {
        let labels = [("job_id", "steady"), ("status", status)];
        let found =
            scene.meanwhile.iter().any(|sample| sample.name == "scheduler_occurrences_total" && sample.has(&labels));
        assert!(found, "{status}");
    }
    assert_eq!(scene.value("scheduler_occurrences_total", &[("job_id", "steady"), ("status", "failed")]), 0.0);
}

#[tokio::test]
async fn what_stands_for_now_rises_and_falls() {
    let scene = Scene::get().await;
    let running = |samples| value(samples, "scheduler_executions_running", &[("job_id", "slow")]);
    assert_eq!((running(&scene.meanwhile), running(&scene.samples)), (1.0, 0.0));
    let up = |samples, backend| value(samples, "scheduler_backend_up", &[("backend", backend)]);
    assert_eq!((up(&scene.meanwhile, "store"), up(&scene.samples, "store")), (0.0, 1.0));
    assert_eq!((up(&scene.meanwhile, "locks"), up(&scene.samples, "locks")), (1.0, 1.0));
    assert_eq!(scene.value("scheduler_instances", &[]), 1.0);
    assert_eq!(scene.value("scheduler_build_info", &[("service_version", "7.1")]), 1.0);
}

#[tokio::test]
async fn starts_are_timed_from_their_instant_and_bodies_from_their_start() {
    let scene = Scene::get().await;
    let steady = scene.value("scheduler_executions_started_total", &[("job_id", "steady"), ("origin", "schedule")]);
    assert_eq!(scene.value("scheduler_start_lag_seconds_count", &[("job_id", "steady")]), steady);
    assert_eq!(scene.value("scheduler_start_lag_seconds_count", &[("job_id", "slow")]), 0.0);
    assert_eq!(scene.value("scheduler_execution_duration_seconds_count", &[("job_id", "slow")]), 1.0);
    let slow = scene.value("scheduler_execution_duration_seconds_sum", &[("job_id", "slow")]);
    assert!((20.0..=26.0).contains(&slow), "its timeout is 20 s, and it ran {slow} s");
}

#[tokio::test]
async fn the_next_instant_is_served_in_seconds() {
    let scene = Scene::get().await;
    let next = scene.value("scheduler_next_due_timestamp_seconds", &[("job_id", "steady")]);
    let newest = scene.rows.iter().filter(|row| row.job_id.as_str() == "steady").map(|row| row.scheduled_at).max();
    assert_eq!(next, newest.expect("ran").timestamp() as f64 + 60.0);
}

#[tokio::test]
async fn calls_to_backends_are_timed_and_their_failures_counted() {
    let scene = Scene::get().await;
    for (backend, operation) in [
        ("store", "claim occurrences"),
        ("store", "finish executions"),
        ("store", "renew leases"),
        ("locks", "acquire keys"),
    ] {
        let labels = [("backend", backend), ("operation", operation)];
        assert!(scene.value("scheduler_backend_call_duration_seconds_count", &labels) > 0.0, "{operation}");
    }
    assert!(scene.value("scheduler_backend_call_errors_total", &[("backend", "store")]) > 0.0);
    assert_eq!(scene.value("scheduler_backend_call_errors_total", &[("backend", "locks")]), 0.0);
    assert!(scene.value("scheduler_lease_renewals_total", &[("backend", "store")]) > 0.0);
}
