//! Occurrences that start behind their instants.

use std::time::Duration;

use scheduler_core::{
    clock::Clock as _,
    job::{CatchUp, Job, JobBuilder},
    occurrence::{OccurrenceKey, Origin},
};

use crate::rig::{MINUTE, Rig, SECOND, id, rows, soon, start, telling, words};

/// What falls to the job `job` at 00:01 of a jitter of a minute, by its hash.
const DELAY: Duration = Duration::from_millis(52_518);

fn jittered() -> JobBuilder {
    Job::builder("job").cron("1 0 * * *").jitter(MINUTE)
}

/// R1: the earliest start is the instant and jitter, on whichever instance.
#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_starts_at_its_jittered_instant_on_every_instance() {
    for instances in [1, 1, 2] {
        let rig = Rig::shared();
        let (job, mut starts) = telling(jittered());
        let mut schedulers = Vec::new();
        for _ in 0..instances {
            schedulers.push(rig.run([job.clone()]).await);
        }
        // A claim may come 50 ms early, a body none.
        rig.pass(MINUTE + DELAY - Duration::from_millis(51)).await;
        assert_eq!(rows(schedulers[0].handle(), "job").await, [], "it is not decided yet");
        rig.pass(Duration::from_millis(50)).await;
        assert_eq!(starts.so_far(), [], "a millisecond early");
        rig.clock.advance(Duration::from_millis(1));
        let occurrence = OccurrenceKey::scheduled(start() + MINUTE);
        assert_eq!(starts.next().await, occurrence);
        rig.pass(5 * SECOND).await;
        let found = rig.rows(schedulers[0].handle(), "job", 1).await;
        assert_eq!(words(&found), ["succeeded #1"]);
        assert_eq!((&found[0].occurrence, found[0].scheduled_at), (&occurrence, start() + MINUTE));
        let earliest = start() + MINUTE + DELAY;
        assert_eq!((found[0].not_before, found[0].started_at), (earliest, Some(earliest)));
        for scheduler in schedulers {
            rig.stop(scheduler).await;
        }
    }
}

/// R12: how late an occurrence is counts from its jittered instant.
#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_is_in_time_by_its_jittered_instant() {
    for (back_at, expected) in [(DELAY + 5 * SECOND, "succeeded #1"), (DELAY + 15 * SECOND, "missed (deadline) #1")] {
        let rig = Rig::new();
        let job = jittered().start_deadline(10 * SECOND).catch_up(CatchUp::Skip);
        let (job, _starts) = telling(job);
        rig.stop(rig.run([job.clone()]).await).await;
        rig.clock.advance((start() + MINUTE + back_at - rig.clock.now()).to_std().expect("it is earlier"));
        let scheduler = rig.run([job]).await;
        let found = rig.rows(scheduler.handle(), "job", 1).await;
        assert_eq!(words(&found), [expected]);
        rig.stop(scheduler).await;
    }
}

/// R22: what jitter holds back at a switch is the old revision's, at its time.
#[tokio::test(flavor = "multi_thread")]
async fn what_jitter_holds_back_when_a_new_version_comes_starts_at_its_time() {
    let rig = Rig::new();
    let (old, _) = telling(jittered());
    let scheduler = rig.run([old]).await;
    rig.pass(MINUTE + 10 * SECOND).await;
    rig.stop(scheduler).await;
    let (new, mut starts) = telling(Job::builder("job").cron("0 0 1 1 *"));
    let scheduler = rig.run([new]).await;
    rig.pass(30 * SECOND).await;
    assert_eq!(starts.so_far(), [], "its time has not come");
    rig.pass(20 * SECOND).await;
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(start() + MINUTE));
    let found = rig.rows(scheduler.handle(), "job", 1).await;
    assert_eq!((words(&found), found[0].origin), (vec!["succeeded #1".to_owned()], Origin::Schedule));
    assert_eq!(found[0].not_before, start() + MINUTE + DELAY);
    assert!(found[0].started_at >= Some(found[0].not_before));
    rig.stop(scheduler).await;
}

/// R19: a request has no jitter.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_job_with_jitter_runs_at_once() {
    let rig = Rig::new();
    let (job, mut starts) = telling(jittered());
    let scheduler = rig.run([job]).await;
    let request = scheduler_core::TriggerRequest::new(id("job"));
    let row = soon(scheduler.handle().trigger(request)).await.expect("accepted").execution;
    assert_eq!(starts.next().await, row.occurrence);
    rig.stop(scheduler).await;
}
