use scheduler_cron::Dialect;

use super::*;
use crate::{
    Scheduler,
    extract::{Params, State, Upstream},
    outcome::{IntoOutcome, JobResult, Json, Outcome},
    store::memory::MemoryStore,
};

fn build(jobs: Vec<Job>) -> Result<Scheduler, BuildError> {
    Scheduler::builder(MemoryStore::new()).jobs(jobs).build()
}

fn manual(id: &str) -> Job {
    Job::builder(id).manual().run(|| async {})
}

#[test]
fn every_mistake_is_told_at_once() {
    let error = build(vec![
        manual("twice"),
        manual("twice"),
        manual("executions"),
        Job::builder("stateful").manual().run(|_: State<u32>| async {}),
        Job::builder("badly_timed").cron("61 * * * *").tz("Asia/Jakata").run(|| async {}),
        Job::builder("ambiguous").cron("5/10 * * * *").run(|| async {}),
        Job::builder("never").cron("0 0 31 2 *").run(|| async {}),
        Job::builder("untriggered").run(|| async {}),
        Job::builder("holding_back").cron("0 9 * * *").except("id-holidays").run(|| async {}),
        Job::builder("interval").every(Duration::from_secs(60)).dialect(Dialect::Apscheduler).run(|| async {}),
        Job::builder("translated").cron("0 9 * * 7").dialect(Dialect::Apscheduler).run(|| async {}),
        Job::builder("short").manual().lease_ttl(Duration::from_secs(1)).run(|| async {}),
        Job::builder("hasty").every(Duration::from_secs(5)).overlap(OverlapPolicy::CancelRunning).run(|| async {}),
        Job::builder("swapping").cron("0,50 9 * * *").jitter(Duration::from_secs(51 * 60)).run(|| async {}),
        Job::builder("unsteady").manual().jitter(Duration::from_secs(1)).run(|| async {}),
        Job::builder("near")
            .every(Duration::from_secs(15))
            .jitter(Duration::from_secs(6))
            .overlap(OverlapPolicy::CancelRunning)
            .run(|| async {}),
    ])
    .expect_err("every job but none is wrong");
    let text = error.to_string();
    for part in [
        "job id `twice` is used by 2 jobs",
        "job id `executions` is reserved",
        "job `stateful` takes `State<u32>`",
        "61",
        "Asia/Jakarta",
        "5-59/10",
        "never fires",
        "job `untriggered`: has no trigger",
        "job `holding_back`: unknown calendar `id-holidays`",
        "job `interval`: `dialect` goes with `cron` alone",
        "job `translated`: day of week `7` is outside 0-6; in APScheduler 0 is Monday and 6 is Sunday",
        "`lease_ttl` is 1s",
        "job `hasty`: `overlap = cancel_running` needs a period of at least 10s",
        "job `swapping`: `jitter` is 3060s, and must be at most the period, which is 3000s",
        "job `unsteady`: `jitter` goes with `cron`, `every` or `at` alone",
        "job `near`: `overlap = cancel_running` needs a period of at least 10s, and this one is 15s, of which `jitter` takes 6s",
    ] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    assert_eq!(error.mistakes().len(), 16, "{text}");
}

#[test]
fn a_jitter_may_be_as_long_as_the_period_and_of_what_occurs_once_as_long_as_it_likes() {
    let minute = Duration::from_secs(60);
    let once = "2026-12-31T23:00:00Z".parse().expect("an instant");
    let jobs = vec![
        Job::builder("spread").every(minute).jitter(minute).run(|| async {}),
        Job::builder("once").at(once).jitter(600 * minute).run(|| async {}),
    ];
    assert!(build(jobs).is_ok());
}

#[test]
fn state_that_was_given_is_not_missed() {
    let job = Job::builder("stateful").manual().run(|_: State<u32>| async {});
    assert!(Scheduler::builder(MemoryStore::new()).jobs([job]).state(7_u32).build().is_ok());
}

#[test]
fn a_cron_expression_keeps_the_meaning_of_its_dialect() {
    let job =
        Job::builder("job").dialect(Dialect::Apscheduler).cron_any(["0 9 * * 0-4", "0 12 1-7 * sat"]).run(|| async {});
    assert_eq!(job.settings().trigger.to_string(), "0 9 * * 1-5 | 0 12 1-7 * &6 UTC");
}

#[test]
fn a_result_that_the_job_before_can_not_have_is_refused_with_both_types() {
    let told = |upstream: Job, dependant: Job| build(vec![upstream, dependant]).err().map(|error| error.to_string());
    let before = || Job::builder("extract").manual();
    let after = || Job::builder("load").after(["extract"]);
    let text = told(before().run(|| async { String::new() }), after().run(|_: Upstream<String>| async {}));
    let text = text.expect("refused");
    for part in
        ["`load`", "`Upstream<alloc::string::String>`", "`extract` returns `alloc::string::String`", "`Json(…)`"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let annotated = before().run_0(|| async { JobResult::<()>::Ok(()) }, IntoOutcome::into_outcome);
    assert!(told(annotated, after().run(|_: Upstream<u32>| async {})).is_some());
    for fine in [
        told(before().run(|| async { String::new() }), after().run(|_: Upstream<Option<String>>| async {})),
        told(before().run(|| async { Json(String::new()) }), after().run(|_: Upstream<String>| async {})),
        told(
            before().run(|| async { JobResult::Ok(Outcome::succeeded("")) }),
            after().run(|_: Upstream<u32>| async {}),
        ),
        told(before().run(|| async {}), after().run(|| async {})),
    ] {
        assert_eq!(fine, None);
    }
    let both = Job::builder("both").after(["extract", "other"]).run(|_: Upstream<BTreeMap<String, u32>>| async {});
    let other = Job::builder("other").after(["extract"]).run(|| async { "done" });
    let text = build(vec![before().run(|| async {}), other, both]).expect_err("neither has a result").to_string();
    assert!(text.contains("`extract` returns `()`, `other` returns `&str`"), "{text}");
}

#[test]
fn a_scheduled_job_that_needs_parameters_is_refused() {
    let daily = || Job::builder("job").cron("0 9 * * *");
    let text = build(vec![daily().run(|_: Params<u32>| async {})]).expect_err("nobody gives it a number").to_string();
    assert!(text.contains("job `job`: runs without parameters") && text.contains("`Option<Params<…>>`"), "{text}");
    assert!(build(vec![Job::builder("job").manual().run(|_: Params<u32>| async {})]).is_ok());
    assert!(build(vec![daily().enabled(false).run(|_: Params<u32>| async {})]).is_ok(), "its schedule is off");
    for fine in [daily().run(|_: Option<Params<u32>>| async {}), daily().run(|_: Params<Option<u32>>| async {})] {
        assert!(build(vec![fine]).is_ok());
    }
}
