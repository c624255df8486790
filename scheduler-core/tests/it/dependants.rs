//! Jobs that run after other jobs (R24).

use scheduler_core::{
    Scheduler, TriggerRequest,
    extract::{ScheduledAt, Upstream},
    job::{Job, OnCrash},
    occurrence::{OccurrenceKey, Origin},
    outcome::{JobError, Json},
    status::Status,
};
use serde_json::json;

use crate::rig::{MINUTE, Rig, SECOND, endless, id, rows, soon, start, telling, words};

/// R24.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_after_another_with_its_result_and_for_its_occurrence() {
    let rig = Rig::shared();
    let count = Job::builder("count").every(MINUTE).run(|| async { Json(json!({"counted": 17})) });
    let report = Job::builder("report").after(["count"]).run(
        |at: ScheduledAt, Upstream(result): Upstream<serde_json::Value>| async move { format!("{result} at {}", *at) },
    );
    let scheduler = rig.run([count, report]).await;
    rig.pass(MINUTE).await;
    let found = rig.rows(scheduler.handle(), "report", 1).await;
    assert_eq!(words(&found), ["succeeded #1"]);
    assert_eq!(found[0].message.as_deref(), Some("{\"counted\":17} at 2026-01-01 00:01:00 UTC"));
    assert_eq!(found[0].occurrence, OccurrenceKey::dependant(&OccurrenceKey::scheduled(start() + MINUTE)));
    assert_eq!((found[0].origin, found[0].scheduled_at), (Origin::Dependency, start() + MINUTE));
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_as_soon_as_the_other_has_ended() {
    let rig = Rig::shared();
    let (first, mut firsts) = telling(Job::builder("first").every(MINUTE));
    let (second, mut seconds) = telling(Job::builder("second").after(["first"]));
    let scheduler = rig.run([first, second]).await;
    rig.clock.advance(MINUTE);
    firsts.next().await;
    // No time goes by: it is not left to the next look.
    let key = OccurrenceKey::dependant(&OccurrenceKey::scheduled(start() + MINUTE));
    assert_eq!(seconds.next().await, key);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_upstreams_both_have_to_succeed_and_both_results_are_there() {
    #[derive(Debug, serde::Deserialize)]
    struct Both {
        left: u32,
        right: u32,
    }
    let rig = Rig::shared();
    let root = Job::builder("root").every(MINUTE).run(|| async {});
    let left = Job::builder("left").after(["root"]).run(|| async { Json(1) });
    let right = Job::builder("right").after(["root"]).run(|| async { Json(2) });
    let both = Job::builder("both")
        .after(["left", "right"])
        .run(|Upstream(both): Upstream<Both>| async move { format!("{} and {}", both.left, both.right) });
    // Two instances share the work.
    let jobs = [root, left, right, both];
    let schedulers = [rig.run(jobs.clone()).await, rig.run(jobs).await];
    rig.pass(MINUTE).await;
    let found = rig.rows(schedulers[0].handle(), "both", 1).await;
    assert_eq!(found[0].message.as_deref(), Some("1 and 2"));
    for scheduler in schedulers {
        rig.stop(scheduler).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failure_the_rest_of_the_chain_is_skipped_and_says_why() {
    let rig = Rig::shared();
    let failing = Job::builder("failing").every(MINUTE).retries(0);
    let failing = failing.run(|| async { Err::<(), _>(JobError::permanent("it can't be")) });
    let (then, mut starts) = telling(Job::builder("then").after(["failing"]));
    let last = Job::builder("last").after(["then"]).run(|| async {});
    let scheduler = rig.run([failing, then, last]).await;
    rig.pass(MINUTE).await;
    for job in ["then", "last"] {
        let found = rig.rows(scheduler.handle(), job, 1).await;
        assert_eq!(words(&found), ["skipped (upstream) #1"]);
    }
    assert_eq!(starts.so_far(), []);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_instance_s_chain_goes_on_on_another() {
    let rig = Rig::shared();
    let (root, mut starts) = endless(Job::builder("root").manual().on_crash(OnCrash::Rerun).retries(1));
    let then = Job::builder("then").after(["root"]).run(|| async {});
    let lost = rig.run([root.clone(), then.clone()]).await;
    soon(lost.handle().trigger(TriggerRequest::new(id("root")))).await.expect("accepted");
    starts.next().await;
    let quick = Job::builder("root").manual().on_crash(OnCrash::Rerun).retries(1).run(|| async {});
    let other = rig.run([quick, then]).await;
    drop(lost);
    rig.clock.settle().await;
    let found = rig.rows(other.handle(), "then", 1).await;
    assert_eq!(words(&found), ["succeeded #1"], "after the second attempt of the first");
    rig.stop(other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_run_of_a_dependant_follows_on_nothing() {
    let rig = Rig::shared();
    let root = Job::builder("root").manual().run(|| async { Json(1) });
    let then = Job::builder("then")
        .after(["root"])
        .run(|Upstream(result): Upstream<Option<u32>>| async move { format!("{result:?}") });
    let scheduler = rig.run([root, then]).await;
    soon(scheduler.handle().trigger(TriggerRequest::new(id("then")))).await.expect("accepted");
    let found = rig.rows(scheduler.handle(), "then", 1).await;
    assert_eq!(found[0].message.as_deref(), Some("None"));
    assert_eq!(rows(scheduler.handle(), "root").await, []);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_does_not_fit_fails_the_attempt_for_good() {
    let rig = Rig::shared();
    let root = Job::builder("root").every(MINUTE).run(|| async { Json("a text") });
    let then = Job::builder("then").after(["root"]).run(|Upstream(_): Upstream<u32>| async {});
    let scheduler = rig.run([root, then]).await;
    rig.pass(MINUTE).await;
    let found = rig.rows(scheduler.handle(), "then", 1).await;
    assert_eq!(words(&found), ["failed #1"]);
    assert!(found[0].message.as_deref().is_some_and(|said| said.contains("does not fit")), "{:?}", found[0].message);
    rig.pass(2 * SECOND).await;
    assert_eq!(rows(scheduler.handle(), "then").await.len(), 1, "it is not tried again");
    assert_eq!(found[0].status, Status::Failed);
    rig.stop(scheduler).await;
}

/// What `build` says of these jobs.
fn refused(jobs: impl IntoIterator<Item = Job>) -> String {
    Scheduler::builder(Rig::new().store).jobs(jobs).build().expect_err("it can't be").to_string()
}

fn after(name: &str, upstreams: &[&str]) -> Job {
    Job::builder(name).after(upstreams.iter().copied()).run(|| async {})
}

fn daily(name: &str) -> Job {
    Job::builder(name).cron("0 1 * * *").run(|| async {})
}

#[test]
fn a_job_that_runs_after_one_that_is_not_there_does_not_build() {
    assert_eq!(
        refused([daily("extract"), after("load", &["extrakt"])]),
        "job `load`: runs after `extrakt`, which is no job of this scheduler; did you mean `extract`?"
    );
    assert!(refused([after("load", &["Extract"])]).contains("job id `Extract`"));
    assert!(refused([after("load", &[])]).contains("needs at least one job id"));
    assert!(refused([daily("a"), after("b", &["a", "a"])]).contains("`after` names `a` twice"));
}

#[test]
fn a_circle_is_told_once_with_its_way() {
    let circle = [after("c", &["b"]), after("a", &["c"]), after("b", &["a"]), after("d", &["a"])];
    assert_eq!(refused(circle), "job `a`: runs after itself: `a` after `c` after `b` after `a`");
    assert_eq!(refused([after("a", &["a"])]), "job `a`: runs after itself: `a` after `a`");
}

/// R24.
#[test]
fn upstreams_without_a_common_root_do_not_build() {
    let said = refused([daily("one"), daily("other"), after("both", &["one", "other"])]);
    assert_eq!(
        said,
        "job `both`: the jobs it runs after must begin with one and the same job, and theirs begin with `one`, `other`"
    );
    let shared = [daily("root"), after("left", &["root"]), after("both", &["left", "root"])];
    assert!(Scheduler::builder(Rig::new().store).jobs(shared).build().is_ok());
}

#[test]
fn a_chain_has_an_end_and_so_has_what_runs_after_one_job() {
    let chain = |length: usize| {
        let after = (1..length).map(|nth| after(&format!("job{nth:02}"), &[&format!("job{:02}", nth - 1)]));
        std::iter::once(daily("job00")).chain(after).collect::<Vec<_>>()
    };
    assert!(Scheduler::builder(Rig::new().store).jobs(chain(16)).build().is_ok());
    assert!(refused(chain(17)).contains("job `job16`: stands below 16 other jobs or more"));
    let fan = |width: usize| {
        let after = (0..width).map(|nth| after(&format!("job{nth}"), &["root"]));
        std::iter::once(daily("root")).chain(after).collect::<Vec<_>>()
    };
    assert!(Scheduler::builder(Rig::new().store).jobs(fan(64)).build().is_ok());
    assert_eq!(refused(fan(65)), "job `root`: 65 jobs run after it, and at most 64 may");
}

#[test]
fn what_every_instance_runs_for_itself_has_no_place_in_a_chain() {
    let everywhere = Job::builder("everywhere").cron("0 1 * * *").every_instance(true).run(|| async {});
    assert!(refused([everywhere, after("then", &["everywhere"])]).contains("which every instance runs for itself"));
    let then = Job::builder("then").after(["root"]).every_instance(true).run(|| async {});
    assert!(refused([daily("root"), then]).contains("`every_instance` does not go with `after`"));
}

#[test]
fn a_job_that_takes_a_result_and_runs_after_none_does_not_build() {
    let alone = Job::builder("alone").cron("0 1 * * *").run(|Upstream(_): Upstream<u32>| async {});
    assert_eq!(refused([alone]), "job `alone`: takes `Upstream`, and runs after no job; give it `after`");
}
