//! What was granted is run, given up or handed over; never forgotten (R8, R9, R11).

use std::{sync::Arc, time::Duration};

use crate::{
    away::{Switch, SwitchedStore},
    rig::{MINUTE, Rig, SECOND, gated, id, rows, soon, start, telling, told, words},
};
use scheduler_core::{
    Scheduler, TriggerRequest,
    context::JobContext,
    identity::InstanceId,
    job::{CatchUp, Job, OverlapPolicy},
    lock::{AcquireRequest, LockBackend as _, LockMode, LockOccurrence, memory::MemoryLocks},
    outcome::{JobError, JobResult},
};

fn switched(rig: &Rig) -> (SwitchedStore, Switch) {
    let switch = Switch::default();
    (SwitchedStore { inner: rig.store.clone(), switch: switch.clone() }, switch)
}

/// R8: so is one of a pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_pass_whose_answer_is_lost_gives_its_claim_up_and_the_next_attempt_follows() {
    let rig = Rig::shared();
    let locks = MemoryLocks::new().with_clock(Arc::new(rig.clock.clone()));
    let (job, mut starts) = telling(Job::builder("job").cron("* * * * *").catch_up(CatchUp::Skip));
    let (store, switch) = switched(&rig);
    let scheduler = Scheduler::builder(store).lock_backend(locks.clone()).jobs([job]).clock(rig.clock.clone());
    let scheduler = soon(scheduler.build().expect("a valid job").start()).await.expect("both answer");
    // The machine sleeps over two occurrences. Another instance is granted the second and dies before its claim: the pass that
    // records the first as missed claims it, past the filter.
    rig.clock.advance(MINUTE - SECOND);
    rig.clock.settle().await;
    rig.clock.step(chrono::TimeDelta::seconds(61));
    let second = start() + 2 * MINUTE;
    let occurrence = Some(LockOccurrence { scheduled_at: second, not_before: second });
    let request = AcquireRequest { job_id: id("job"), owner: InstanceId::random(), occurrence, mode: LockMode::Filter };
    locks.acquire(&[request]).await.expect("it is free");
    switch.set_only("decide");
    switch.set_losing_answers(true);
    rig.pass(8 * SECOND).await;
    let given_up = "abandoned (unknown_commit) #1".to_owned();
    assert!(words(&rows(scheduler.handle(), "job").await).contains(&given_up));
    switch.set_losing_answers(false);
    rig.pass(5 * SECOND).await;
    starts.next().await;
    let found = words(&rig.rows(scheduler.handle(), "job", 3).await);
    assert!(found.contains(&given_up) && found.contains(&"succeeded #2".to_owned()), "{found:?}");
    rig.stop(scheduler).await;
}

/// R12: what went by and can start in time is claimed with all else, and wants no transaction of its job's own.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_still_start_in_time_is_claimed_without_a_pass() {
    let rig = Rig::shared();
    let locks = MemoryLocks::new().with_clock(Arc::new(rig.clock.clone()));
    let names: Vec<String> = (0..300).map(|n| format!("job-{n}")).collect();
    let job = |name: &String| telling(Job::builder(name.as_str()).cron("* * * * *"));
    let (jobs, mut starts): (Vec<_>, Vec<_>) = names.iter().map(job).unzip();
    let (store, switch) = switched(&rig);
    let scheduler = Scheduler::builder(store).lock_backend(locks.clone()).jobs(jobs).clock(rig.clock.clone());
    let scheduler = soon(scheduler.build().expect("valid jobs").start()).await.expect("both answer");
    rig.clock.advance(MINUTE - SECOND);
    rig.clock.settle().await;
    rig.clock.step(chrono::TimeDelta::seconds(1));
    let occurrence = Some(LockOccurrence { scheduled_at: start() + MINUTE, not_before: start() + MINUTE });
    let owner = InstanceId::random();
    let asked = |name: &String| AcquireRequest { job_id: id(name), owner, occurrence, mode: LockMode::Filter };
    locks.acquire(&names.iter().map(asked).collect::<Vec<_>>()).await.expect("they are free");
    switch.set_only("decide");
    switch.set_away(true);
    rig.pass(5 * SECOND).await;
    for starts in &mut starts {
        starts.next().await;
    }
    switch.set_away(false);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_under_way_when_the_stop_begins_is_waited_for_and_runs() {
    let rig = Rig::shared();
    let (job, mut starts) = telling(Job::builder("job").cron("* * * * *"));
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, [job]).await;
    switch.set_only("claim");
    switch.set_holding_answers(true);
    rig.pass(MINUTE).await;
    let handle = scheduler.handle().clone();
    assert_eq!(words(&rows(&handle, "job").await), ["running #1"], "written, and not answered yet");
    let stopping = tokio::spawn(scheduler.shutdown(MINUTE));
    rig.clock.settle().await;
    switch.set_holding_answers(false);
    starts.next().await;
    soon(stopping).await.expect("it stops");
    assert_eq!(words(&rows(&handle, "job").await), ["succeeded #1"]);
}

/// R11: what was asked for at the stop is not forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_without_an_answer_at_a_stop_is_given_up_and_left_to_others() {
    let rig = Rig::shared();
    let (job, mut starts) = telling(Job::builder("job").cron("* * * * *"));
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, [job]).await;
    switch.set_only("claim");
    switch.set_losing_answers(true);
    rig.pass(MINUTE).await;
    let handle = scheduler.handle().clone();
    rig.stop(scheduler).await;
    assert_eq!(words(&rows(&handle, "job").await), ["abandoned (unknown_commit) #1", "pending #2"]);
    assert_eq!(starts.so_far(), [], "its body never started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_delay_without_end_is_cut_and_holds_up_no_other_outcome() {
    let rig = Rig::new();
    let endless =
        Job::builder("endless").manual().run(|| async { JobResult::<()>::Err(JobError::retry_after(Duration::MAX)) });
    let (other, _starts) = telling(Job::builder("other").manual());
    let scheduler = rig.run([endless, other]).await;
    soon(scheduler.handle().trigger(TriggerRequest::new(id("endless")))).await.expect("accepted");
    let found = rig.rows(scheduler.handle(), "endless", 1).await;
    assert_eq!(words(&found), ["failed #1", "pending #2"]);
    let waits = found[1].not_before - found[0].finished_at.expect("it ended");
    assert_eq!(waits, chrono::TimeDelta::days(366));
    soon(scheduler.handle().trigger(TriggerRequest::new(id("other")))).await.expect("accepted");
    assert_eq!(words(&rig.rows(scheduler.handle(), "other", 1).await), ["succeeded #1"]);
    assert!(scheduler.handle().health().ready);
    rig.stop(scheduler).await;
}

/// R9: what is kept in memory is bounded.
#[tokio::test(flavor = "multi_thread")]
async fn while_too_many_outcomes_wait_for_the_store_nothing_more_is_started() {
    let rig = Rig::shared();
    let (tell, mut starts) = told();
    let job = |n: usize| {
        let tell = tell.clone();
        Job::builder(format!("job-{n}")).cron("* * * * *").run(move |context: JobContext| {
            let tell = tell.clone();
            async move { tell.send(context.occurrence().clone()).expect("the test listens") }
        })
    };
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, (0..10_000).map(job)).await;
    switch.set_only("finish");
    switch.set_away(true);
    rig.pass(MINUTE).await;
    for _ in 0..10_000 {
        starts.next().await;
    }
    rig.pass(MINUTE - SECOND).await;
    assert_eq!(starts.so_far(), [], "10,000 outcomes wait");
    switch.set_away(false);
    rig.pass(5 * SECOND).await;
    soon(starts.next()).await;
    rig.stop(scheduler).await;
}

/// R9: outcomes are tried until they are written.
#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_its_store_refuses_is_written_without_its_words_and_holds_up_no_other() {
    let rig = Rig::shared();
    let (poison, mut poisoned, go_on) = gated(Job::builder("poison").manual());
    let (other, mut starts, go_on_too) = gated(Job::builder("other").manual());
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, [poison, other]).await;
    switch.set_refusing("poison");
    for job in ["poison", "other"] {
        soon(scheduler.handle().trigger(TriggerRequest::new(id(job)))).await.expect("accepted");
    }
    poisoned.next().await;
    starts.next().await;
    go_on.notify_one();
    go_on_too.notify_one();
    let other = rig.rows(scheduler.handle(), "other", 1).await;
    assert_eq!(other[0].message.as_deref(), Some("undisturbed"));
    let poison = rig.rows(scheduler.handle(), "poison", 1).await;
    assert_eq!(words(&poison), ["succeeded #1"]);
    assert_eq!(poison[0].message.as_deref(), Some("the store refused what the job said"));
    rig.stop(scheduler).await;
}

/// R17: what is queued starts when the key is free.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_queue_starts_when_the_run_before_it_ends() {
    let rig = Rig::shared();
    let (job, mut starts, go_on) = gated(Job::builder("job").cron("* * * * *").overlap(OverlapPolicy::QueueOne));
    let scheduler = rig.run([job]).await;
    rig.pass(MINUTE).await;
    let first = starts.next().await;
    rig.pass(MINUTE).await;
    rig.clock.settle().await;
    assert_eq!(words(&rows(scheduler.handle(), "job").await), ["running #1", "pending #1"]);
    go_on.notify_one();
    // No time goes by: the end itself is the hint.
    let second = starts.next().await;
    assert_ne!(first, second);
    go_on.notify_one();
    rig.stop(scheduler).await;
}

/// R2: a batch is read on past what this instance can't start.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_can_not_start_hides_nothing_from_an_instance() {
    let rig = Rig::shared();
    let foreign: Vec<Job> = (0..600).map(|n| Job::builder(format!("foreign-{n}")).manual().run(|| async {})).collect();
    let gone = rig.run(foreign).await;
    let handle = gone.handle().clone();
    rig.stop(gone).await;
    for n in 0..600 {
        soon(handle.trigger(TriggerRequest::new(id(&format!("foreign-{n}"))))).await.expect("accepted");
    }
    let (job, mut starts) = telling(Job::builder("own").manual());
    let scheduler = rig.run([job]).await;
    rig.clock.advance(SECOND);
    soon(scheduler.handle().trigger(TriggerRequest::new(id("own")))).await.expect("accepted");
    starts.next().await;
    rig.stop(scheduler).await;
}

/// R6: who was not healthy for a whole lease recovers nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_silence_of_all_instances_makes_none_of_them_take_the_others_for_lost() {
    let rig = Rig::shared();
    let job = Job::builder("job").manual().on_lost_lease(scheduler_core::job::OnLostLease::Ignore);
    let (job, mut starts, go_on) = gated(job);
    let runs = rig.run([job.clone()]).await;
    let looks = rig.run([job]).await;
    soon(runs.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    rig.pass(40 * SECOND).await;
    // Every machine sleeps for longer than a lease, and all wake up at once.
    for _ in 0..3 {
        rig.clock.advance(40 * SECOND);
        rig.clock.settle().await;
        rig.pass(10 * SECOND).await;
    }
    go_on.notify_one();
    let found = rig.rows(looks.handle(), "job", 1).await;
    assert_eq!(words(&found), ["succeeded #1"]);
    assert!(!found[0].late, "nobody had given it up");
    rig.stop(runs).await;
    rig.stop(looks).await;
}
