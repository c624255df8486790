//! A store for each instance, and a lock backend that is the claim (R15).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{
    RunningScheduler, Scheduler, TriggerRequest,
    identity::{InstanceId, JobId},
    job::{CatchUp, Job, OverlapPolicy},
    lock::{
        AcquireRequest, Acquired, LockBackend, LockError, LockLease, LockMode, LockOccurrence, memory::MemoryLocks,
    },
    outcome::{JobError, JobResult},
    status::{Reason, Status},
    testing::Faults,
};

use crate::{
    away::{Switch, SwitchedLocks, SwitchedStore},
    rig::{MINUTE, Rig, SECOND, gated, id, rows, soon, start, telling, told, words},
};

/// One instance, with switches before both backends.
struct Instance {
    scheduler: RunningScheduler,
    store: Switch,
    locks: Switch,
}

fn locks(rig: &Rig) -> MemoryLocks {
    MemoryLocks::new().with_clock(Arc::new(rig.clock.clone()))
}

async fn instance(rig: &Rig, locks: &MemoryLocks, job: &Job) -> Instance {
    let (of_store, of_locks) = (Switch::default(), Switch::default());
    let store = SwitchedStore { inner: rig.store.clone(), switch: of_store.clone() };
    let locks = SwitchedLocks { inner: locks.clone(), switch: of_locks.clone() };
    let scheduler = Scheduler::builder(store).lock_backend(locks).jobs([job.clone()]).clock(rig.clock.clone());
    let scheduler = soon(scheduler.build().expect("a valid job").start()).await.expect("both answer");
    Instance { scheduler, store: of_store, locks: of_locks }
}

/// Asks for the job's key as another instance would.
async fn acquire_as_another(locks: &MemoryLocks) -> Option<LockLease> {
    let mode = LockMode::Lease { ttl: MINUTE, exclusive: true };
    let request = AcquireRequest { job_id: id("job"), owner: InstanceId::random(), occurrence: None, mode };
    match locks.acquire(&[request]).await.expect("it answers").pop() {
        Some(Acquired::Granted(lease)) => lease,
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_after_the_cursor_moved_leaves_no_hole() {
    let rig = Rig::new();
    let (job, mut starts) = telling(Job::builder("job").cron("* * * * *").catch_up(CatchUp::Skip));
    let instance = instance(&rig, &locks(&rig), &job).await;
    rig.pass(MINUTE - SECOND).await;
    instance.store.set_away(true);
    rig.pass(2 * MINUTE + 10 * SECOND).await;
    assert_eq!(starts.so_far(), [], "what can't be written is not run");
    instance.store.set_away(false);
    rig.pass(MINUTE).await;
    let found = rig.rows(instance.scheduler.handle(), "job", 2).await;
    let covered: u64 = found.iter().map(|row| row.missed_count.unwrap_or(1)).sum();
    let until = found.iter().map(|row| row.scheduled_at).max().expect("it has rows");
    assert_eq!(covered, u64::try_from((until - start()).num_minutes()).expect("later"), "{:?}", words(&found));
    rig.stop(instance.scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_whose_answer_was_lost_leaves_no_hole() {
    let rig = Rig::new();
    let (job, _starts) = telling(Job::builder("job").cron("* * * * *").catch_up(CatchUp::Skip));
    let instance = instance(&rig, &locks(&rig), &job).await;
    rig.pass(MINUTE - SECOND).await;
    instance.locks.set_only("acquire");
    instance.locks.set_losing_answers(true);
    // Beyond the start deadline, until which it is asked for again.
    rig.pass(MINUTE + 5 * SECOND).await;
    instance.locks.set_losing_answers(false);
    rig.pass(MINUTE).await;
    let found = rig.rows(instance.scheduler.handle(), "job", 2).await;
    let first = found.iter().find(|row| row.scheduled_at == start() + TimeDelta::minutes(1)).expect("it has its row");
    assert_eq!((first.status, first.reason), (Status::Missed, Some(Reason::Deadline)));
    rig.stop(instance.scheduler).await;
}

/// A job whose first attempts fail, so that a retry waits.
fn failing(job: scheduler_core::job::JobBuilder) -> (Job, crate::rig::Starts) {
    let (tell, starts) = told();
    let job = job.run(move |context: scheduler_core::context::JobContext| {
        let tell = tell.clone();
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            JobResult::<()>::Err(JobError::new("not yet"))
        }
    });
    (job, starts)
}

/// R16: on the lock backend as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_kept_for_a_retry_is_kept_from_others_until_the_retry() {
    let rig = Rig::new();
    let locks = locks(&rig);
    let (job, mut starts) = failing(Job::builder("job").manual().retries(1).retry_delay(30 * SECOND));
    let instance = instance(&rig, &locks, &job).await;
    soon(instance.scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    rig.rows(instance.scheduler.handle(), "job", 1).await;
    rig.pass(25 * SECOND).await;
    assert_eq!(acquire_as_another(&locks).await, None, "a waiting retry counts as running");
    rig.pass(10 * SECOND).await;
    starts.next().await;
    rig.rows(instance.scheduler.handle(), "job", 2).await;
    rig.pass(5 * SECOND).await;
    assert!(acquire_as_another(&locks).await.is_some(), "nothing waits any more");
    rig.stop(instance.scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_kept_for_a_retry_that_was_cancelled_is_given_up() {
    let rig = Rig::new();
    let job = Job::builder("job").cron("* * * * *").overlap(OverlapPolicy::CancelRunning);
    let (job, mut starts) = failing(job.retries(1).retry_delay(90 * SECOND));
    let instance = instance(&rig, &locks(&rig), &job).await;
    rig.pass(MINUTE).await;
    let first = starts.next().await;
    // The retry of the first still waits when the second occurrence comes and cancels it.
    rig.pass(MINUTE + 5 * SECOND).await;
    let second = starts.next().await;
    assert_ne!(first, second);
    let found = rig.rows(instance.scheduler.handle(), "job", 3).await;
    assert_eq!(words(&found)[..2], ["failed #1", "cancelled (superseded) #2"]);
    rig.stop(instance.scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_whose_kept_key_was_lost_waits_for_the_new_holder() {
    let rig = Rig::new();
    let locks = locks(&rig);
    let (job, mut starts) = failing(Job::builder("job").manual().retries(1).retry_delay(30 * SECOND));
    let instance = instance(&rig, &locks, &job).await;
    soon(instance.scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    rig.rows(instance.scheduler.handle(), "job", 1).await;
    locks.forget();
    let held = acquire_as_another(&locks).await.expect("it was emptied");
    rig.pass(50 * SECOND).await;
    assert_eq!(starts.so_far(), [], "another instance runs the job");
    assert!(locks.release(&held).await.expect("it answers"));
    rig.pass(5 * SECOND).await;
    starts.next().await;
    rig.stop(instance.scheduler).await;
}

/// R5: a margin before the lease ends the token is cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_key_can_not_be_renewed_is_told_before_another_can_have_it() {
    let rig = Rig::new();
    let locks = locks(&rig);
    let (tell, mut starts) = told();
    let (told_at, mut stopped_at) = tokio::sync::mpsc::unbounded_channel();
    let clock = rig.clock.clone();
    let job = Job::builder("job").manual().retries(0).run(
        move |context: scheduler_core::context::JobContext, stop: tokio_util::sync::CancellationToken| {
            let (tell, told_at, clock) = (tell.clone(), told_at.clone(), clock.clone());
            async move {
                tell.send(context.occurrence().clone()).expect("the test listens");
                stop.cancelled().await;
                told_at.send(scheduler_core::clock::Clock::uptime(&clock)).expect("the test listens");
            }
        },
    );
    let instance = instance(&rig, &locks, &job).await;
    soon(instance.scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    rig.pass(6 * SECOND).await;
    instance.locks.set_away(true);
    rig.pass(40 * SECOND).await;
    let stopped_at = soon(stopped_at.recv()).await.expect("it was told");
    // The last renewal was at 5 s at the earliest, its lease ends 30 s later, and the margin is 3 s.
    assert!(stopped_at <= 34 * SECOND, "told at {stopped_at:?}");
    instance.locks.set_away(false);
    let found = rig.rows(instance.scheduler.handle(), "job", 1).await;
    assert_eq!(words(&found)[0], "failed (lease_lost) #1", "it returned in time, having been told to stop");
    rig.stop(instance.scheduler).await;
}

/// R5: from the lease's end on the body is not polled.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_does_not_stop_is_dropped_when_its_key_may_be_anothers() {
    let rig = Rig::new();
    let (job, mut starts, _never) = gated(Job::builder("job").manual().retries(0));
    let instance = instance(&rig, &locks(&rig), &job).await;
    soon(instance.scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    rig.pass(6 * SECOND).await;
    instance.locks.set_away(true);
    rig.pass(40 * SECOND).await;
    let found = rig.rows(instance.scheduler.handle(), "job", 1).await;
    assert_eq!((found[0].status, found[0].reason), (Status::Failed, Some(Reason::LeaseLost)));
    instance.locks.set_away(false);
    rig.clock.settle().await;
    assert_eq!(rows(instance.scheduler.handle(), "job").await.len(), 1);
    rig.stop(instance.scheduler).await;
}

/// The occurrence meets this instance's own run, which ends before the store is asked: what is granted then runs under
/// the key all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_end_of_a_run_lets_in_holds_the_key() {
    let rig = Rig::new();
    let locks = locks(&rig);
    let faults = Faults::new(rig.clock.clone());
    let (job, mut starts, go_on) = gated(Job::builder("job").cron("* * * * *"));
    let scheduler = Scheduler::builder(faults.store(rig.store.clone())).lock_backend(locks.clone()).jobs([job]);
    let scheduler = scheduler.clock(rig.clock.clone()).build().expect("a valid job");
    let scheduler = soon(scheduler.start()).await.expect("both answer");
    rig.pass(MINUTE).await;
    starts.next().await;
    rig.pass(MINUTE - SECOND).await;
    faults.set_delay(3 * SECOND);
    rig.pass(2 * SECOND).await;
    faults.set_delay(Duration::ZERO);
    go_on.notify_one();
    rig.rows(scheduler.handle(), "job", 1).await;
    rig.pass(4 * SECOND).await;
    starts.next().await;
    assert_eq!(words(&rows(scheduler.handle(), "job").await), ["succeeded #1", "running #1"]);
    assert_eq!(acquire_as_another(&locks).await, None, "the key is held while the body runs");
    go_on.notify_one();
    rig.rows(scheduler.handle(), "job", 2).await;
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_side_by_side_have_no_key_to_lose() {
    let rig = Rig::new();
    let (job, mut starts, go_on) = gated(Job::builder("job").cron("1 0 * * *").overlap(OverlapPolicy::Allow));
    let instance = instance(&rig, &locks(&rig), &job).await;
    rig.pass(MINUTE).await;
    starts.next().await;
    // Longer than a lease.
    rig.pass(MINUTE).await;
    go_on.notify_one();
    let found = rig.rows(instance.scheduler.handle(), "job", 1).await;
    assert_eq!(found[0].message.as_deref(), Some("undisturbed"));
    rig.stop(instance.scheduler).await;
}

/// Locks of which another instance claims the first minute each time that this one has read the cursor.
#[derive(Debug, Clone)]
struct RacedLocks(MemoryLocks);

#[async_trait]
impl LockBackend for RacedLocks {
    fn attach(&self) -> Arc<dyn LockBackend> {
        Arc::new(self.clone())
    }

    async fn check(&self) -> Result<(), LockError> {
        self.0.check().await
    }

    async fn acquire(&self, requests: &[AcquireRequest]) -> Result<Vec<Acquired>, LockError> {
        self.0.acquire(requests).await
    }

    async fn cursor(&self, job_id: &JobId) -> Result<Option<DateTime<Utc>>, LockError> {
        let cursor = self.0.cursor(job_id).await?;
        let first = start() + MINUTE;
        let request = AcquireRequest {
            job_id: job_id.clone(),
            owner: InstanceId::random(),
            occurrence: Some(LockOccurrence { scheduled_at: first, not_before: first }),
            mode: LockMode::Filter,
        };
        self.0.acquire(&[request]).await?;
        Ok(cursor)
    }

    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<bool, LockError> {
        self.0.renew(lease, ttl).await
    }

    async fn release(&self, lease: &LockLease) -> Result<bool, LockError> {
        self.0.release(lease).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_claims_while_the_cursor_is_read_stays_another_s() {
    let rig = Rig::new();
    let job = Job::builder("job").cron("* * * * *").catch_up(CatchUp::Skip).start_deadline(SECOND).run(|| async {});
    let scheduler = Scheduler::builder(rig.store.clone()).lock_backend(RacedLocks(locks(&rig))).jobs([job]);
    let scheduler = scheduler.clock(rig.clock.clone()).build().expect("a valid job");
    let scheduler = soon(scheduler.start()).await.expect("both answer");
    // At once, as on a machine that slept: nothing is in time any more.
    rig.clock.advance(3 * MINUTE + 30 * SECOND);
    let found = rig.rows(scheduler.handle(), "job", 1).await;
    assert_eq!(
        (found[0].missed_from, found[0].missed_count),
        (Some(start() + 2 * MINUTE), Some(2)),
        "{:?}",
        words(&found)
    );
    rig.stop(scheduler).await;
}
