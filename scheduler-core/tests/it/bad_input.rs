//! Bodies, settings and rows that nobody should write.

use std::{sync::Arc, time::Duration};

use scheduler_core::{
    Scheduler, TriggerRequest,
    context::JobContext,
    execution::Execution,
    extract::{FromContext, State},
    job::{CatchUp, Job, JobBuilder},
    occurrence::Origin,
    outcome::{IntoOutcome, JobError, JobResult, Json, Outcome},
    status::{Reason, Status},
};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::rig::{MINUTE, Rig, SECOND, ended, id, soon, telling};

fn manual() -> JobBuilder {
    Job::builder("job").manual().retries(0)
}

/// How the one attempt of a job on request ended, after which the scheduler runs others as before.
async fn outcome_of(job: Job) -> Execution {
    let rig = Rig::new();
    let (other, mut starts) = telling(Job::builder("other").cron("* * * * *"));
    let scheduler = rig.run([job, other]).await;
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    let row = ended(scheduler.handle(), &row).await;
    rig.pass(MINUTE).await;
    starts.next().await;
    rig.stop(scheduler).await;
    row
}

/// Panics when it is dropped, but not while another panic goes on.
#[derive(Debug, Clone)]
struct Grenade(CancellationToken);

impl Grenade {
    fn armed() -> Self {
        Self(CancellationToken::new())
    }
}

impl Drop for Grenade {
    fn drop(&mut self) {
        self.0.cancel();
        assert!(std::thread::panicking(), "the grenade went off");
    }
}

fn is_panic(row: &Execution, words: &str) {
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::Panic)), "{row:?}");
    assert!(row.message.as_deref().is_some_and(|message| message.contains(words)), "{row:?}");
    assert!(row.error_trace.as_deref().is_some_and(|trace| trace.lines().count() > 5), "a backtrace: {row:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_megabyte_is_cut_and_says_so() {
    let row = outcome_of(manual().run(|| async { "x".repeat(1 << 20) })).await;
    assert_eq!(row.status, Status::Succeeded);
    let message = row.message.expect("a message");
    assert!(message.len() == Outcome::LONGEST_MESSAGE && message.ends_with("x… (cut, 1048576 bytes)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_megabyte_is_cut_and_says_so() {
    let row = outcome_of(manual().run(|| async { JobResult::<()>::Err(JobError::new("é".repeat(1 << 19))) })).await;
    assert_eq!(row.status, Status::Failed);
    let (message, trace) = (row.message.expect("a message"), row.error_trace.expect("a trace"));
    for (text, limit) in [(message, Outcome::LONGEST_MESSAGE), (trace, Outcome::LONGEST_TRACE)] {
        assert!(text.len() <= limit && text.ends_with("é… (cut, 1048576 bytes)"), "{}", text.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_of_a_hundred_megabytes_leaves_a_note_in_its_place() {
    let row = outcome_of(manual().run(|| async { Json("x".repeat(100_000_000)) })).await;
    assert_eq!(row.status, Status::Succeeded);
    let note = json!({"too_large": {"bytes": 100_000_002, "limit": Outcome::LARGEST_DATA}});
    assert_eq!(row.result_data, Some(note));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_beyond_two_to_the_53rd_stay_exact_in_a_result() {
    let data = json!({"most": u64::MAX, "least": i64::MIN, "odd": 9_007_199_254_740_993_u64});
    let answer = data.clone();
    let row = outcome_of(manual().run(move || {
        let answer = answer.clone();
        async move { Json(answer) }
    }));
    assert_eq!(row.await.result_data, Some(data));
}

#[tokio::test(flavor = "multi_thread")]
async fn control_characters_are_replaced_in_what_a_job_says() {
    let row = outcome_of(manual().run(|| async { Outcome::failed("a\0b\x1b[2J\n").with_data(json!({"nul\0": "\0"})) }));
    let row = row.await;
    assert_eq!(row.message.as_deref(), Some("a\u{fffd}b\u{fffd}[2J\n"));
    assert_eq!(row.result_data, Some(json!({"nul\u{fffd}": "\u{fffd}"})));
}

/// A result that is none.
struct Unserializable;

impl Serialize for Unserializable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("not today"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_does_not_serialize_fails_the_run_for_good() {
    let row = outcome_of(manual().run(|| async { Json(Unserializable) })).await;
    assert_eq!(row.status, Status::Failed);
    assert_eq!(row.message.as_deref(), Some("the result can't be written as JSON: not today"));
    assert_eq!(row.result_data, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_drop_of_a_body_s_future_fails_the_attempt() {
    let row = outcome_of(manual().run(|| async {
        let _grenade = Grenade::armed();
    }));
    is_panic(&row.await, "the grenade went off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_drop_of_what_a_body_answers_fails_the_attempt() {
    struct Answer(#[expect(dead_code, reason = "it is there to be dropped")] Grenade);
    impl IntoOutcome for Answer {
        fn into_outcome(self) -> JobResult {
            Ok(Outcome::succeeded("before it is dropped"))
        }
    }
    is_panic(&outcome_of(manual().run(|| async { Answer(Grenade::armed()) })).await, "the grenade went off");
}

#[derive(Debug)]
enum Broken {
    InItsWords,
    InItsDrop(#[expect(dead_code, reason = "it is there to be dropped")] Grenade),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InItsWords => panic!("no words"),
            Self::InItsDrop(_) => f.write_str("it fails"),
        }
    }
}

impl std::error::Error for Broken {}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_panics_in_its_words_or_its_drop_fails_the_attempt() {
    let row = outcome_of(manual().run(|| async { Err::<(), _>(Broken::InItsWords) })).await;
    is_panic(&row, "no words");
    let row = outcome_of(manual().run(|| async { Err::<(), _>(Broken::InItsDrop(Grenade::armed())) })).await;
    is_panic(&row, "the grenade went off");
}

/// An argument that panics.
struct Panicking;

impl FromContext for Panicking {
    fn from_context(_: &JobContext) -> Result<Self, JobError> {
        panic!("the extractor broke")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_an_extractor_fails_the_attempt() {
    is_panic(&outcome_of(manual().run(|_: Panicking| async {})).await, "the extractor broke");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_drop_of_a_body_s_state_fails_the_attempt_and_a_stop_ends() {
    let rig = Rig::new();
    let grenade = Grenade::armed();
    let exploded = grenade.0.clone();
    let job = manual().run(|_: State<Arc<Grenade>>, State(mine): State<Grenade>| async move { drop(mine) });
    let scheduler = Scheduler::builder(rig.store.clone()).jobs([job]).clock(rig.clock.clone());
    let scheduler = scheduler.state(Grenade::armed()).state(Arc::new(grenade)).build().expect("a valid job").start();
    let scheduler = soon(scheduler).await.expect("the store answers");
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    is_panic(&ended(scheduler.handle(), &row).await, "the grenade went off");
    assert!(!exploded.is_cancelled(), "the service's own is there still");
    rig.stop(scheduler).await;
    // It ends with the scheduler, whose last task may end a moment after the stop.
    soon(exploded.cancelled()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_of_zero_and_a_lease_under_a_second_do_not_build() {
    let jobs = [
        Job::builder("timeout").manual().timeout(Duration::ZERO).run(|| async {}),
        Job::builder("lease").manual().lease_ttl(Duration::from_millis(900)).run(|| async {}),
    ];
    let error = Scheduler::builder(Rig::new().store).jobs(jobs).build().expect_err("two mistakes");
    let said = error.to_string();
    assert!(said.contains("`timeout` must be longer than nothing") && said.contains("`lease_ttl` is 900ms"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_a_thousand_years_on_a_job_of_each_second_is_bounded_work() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let rig = Rig::shared();
    let job = Job::builder("job").every(SECOND).catch_up(CatchUp::All).catch_up_window(1_000 * 365 * DAY);
    let job = job.catch_up_limit(5).run(|| async {});
    rig.stop(rig.run([job.clone()]).await).await;
    // More than one pass covers.
    rig.clock.advance(3 * DAY);
    let scheduler = rig.run([job]).await;
    rig.pass(SECOND * 10).await;
    let found = rig.rows(scheduler.handle(), "job", 10).await;
    let missed: u64 = found.iter().filter_map(|row| row.missed_count).sum();
    assert!(missed > 259_000 && found.len() < 100, "{missed} missed in {} rows", found.len());
    // The clock went on during the passes; of what they found late the last five run, or fewer where some of these had
    // started in time while a pass was cut short.
    let last_missed = found.iter().find(|row| row.missed_count.is_some()).expect("a range").scheduled_at;
    let follows = |row: &&Execution| (last_missed..=last_missed + 5 * SECOND).contains(&row.scheduled_at);
    let caught_up = found.iter().filter(follows).filter(|row| row.origin == Origin::CatchUp).count();
    let about = |row: &Execution| (row.status, row.origin, (row.scheduled_at - last_missed).num_seconds());
    assert!((1..=5).contains(&caught_up), "{:?}", found.iter().map(about).collect::<Vec<_>>());
    rig.stop(scheduler).await;
}
