//! Occurrences that went by while nobody looked (R12).

use scheduler_core::{
    Backfill, Scheduler,
    context::JobContext,
    extract::ScheduledAt,
    job::{CatchUp, Job, OverlapPolicy},
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::Actor,
};
use scheduler_cron::Calendar;

use crate::rig::{MINUTE, Rig, SECOND, gated, id, rows, soon, start, statuses, told, words};

fn each_minute(policy: CatchUp) -> (Job, crate::rig::Starts) {
    let (tell, starts) = told();
    let job = Job::builder("job").cron("* * * * *").tz("Asia/Jakarta").catch_up(policy).run(
        move |context: JobContext, at: ScheduledAt| {
            let tell = tell.clone();
            async move {
                tell.send(context.occurrence().clone()).expect("the test listens");
                at.to_rfc3339()
            }
        },
    );
    (job, starts)
}

/// Runs the job for three minutes, is down for ten and a half, and comes back.
async fn outage(policy: CatchUp) -> Vec<scheduler_core::execution::Execution> {
    let rig = Rig::new();
    let (job, mut starts) = each_minute(policy);
    let scheduler = rig.run([job.clone()]).await;
    for _ in 0..3 {
        rig.pass(MINUTE).await;
        starts.next().await;
    }
    rig.stop(scheduler).await;
    rig.clock.advance(MINUTE * 10 + SECOND * 30);
    let scheduler = rig.run([job]).await;
    rig.pass(SECOND * 10).await;
    let wanted = if policy == CatchUp::Skip { 4 } else { 5 };
    let found = rig.rows(scheduler.handle(), "job", wanted).await;
    rig.stop(scheduler).await;
    found
}

/// R12: under `latest` the last one runs, the rest is one range.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_one_missed_row_and_its_latest_occurrence_runs() {
    let found = outage(CatchUp::Latest).await;
    let caught_up: Vec<_> =
        found.iter().filter(|row| row.origin == Origin::CatchUp || row.status == Status::Missed).collect();
    // 00:13 is 30 s old: within its deadline of a minute it is started in the pass, on the schedule's behalf.
    let last = found.iter().find(|row| row.scheduled_at == start() + MINUTE * 13).expect("a row");
    assert_eq!(last.status, Status::Succeeded, "{caught_up:?}");
    let missed: u64 = found.iter().filter_map(|row| row.missed_count).sum();
    let own = found.iter().filter(|row| row.status == Status::Succeeded).count();
    assert_eq!(
        missed + u64::try_from(own).expect("few"),
        13,
        "each of the 13 minutes has its row: {:?}",
        words(&found)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn under_skip_an_outage_runs_nothing_that_is_late() {
    let found = outage(CatchUp::Skip).await;
    assert!(found.iter().all(|row| row.origin == Origin::Schedule), "{:?}", words(&found));
    let ranges: Vec<_> = found.iter().filter(|row| row.status == Status::Missed).collect();
    assert_eq!(ranges.len(), 1, "{:?}", statuses(&found));
    assert_eq!(ranges[0].reason, Some(Reason::Deadline));
    assert_eq!((ranges[0].missed_from, ranges[0].scheduled_at), (Some(start() + MINUTE * 4), start() + MINUTE * 12));
    assert_eq!(ranges[0].missed_count, Some(9));
}

/// R17: under `allow` what is caught up runs side by side, oldest first, as many at once as the limit says.
#[tokio::test(flavor = "multi_thread")]
async fn under_allow_what_was_missed_runs_side_by_side_up_to_the_limit() {
    let rig = Rig::new();
    let hourly = Job::builder("job").every(MINUTE * 60).overlap(OverlapPolicy::Allow).catch_up(CatchUp::All);
    let (job, mut starts, go_on) = gated(hourly.catch_up_window(MINUTE * 60 * 24).catch_up_limit(3));
    rig.stop(rig.run([job.clone()]).await).await;
    rig.clock.advance(MINUTE * 60 * 5 + MINUTE * 30);
    let scheduler = rig.run([job]).await;
    rig.pass(SECOND * 20).await;
    // Five were missed: the three latest are caught up, and two more are backfilled.
    let old = Backfill::new(id("job"), start() + MINUTE..start() + MINUTE * 121);
    soon(scheduler.handle().backfill(&old, &Actor::new("ayu"))).await.expect("they never ran");
    rig.pass(SECOND * 20).await;
    let hour = |nth: u32| OccurrenceKey::scheduled(start() + MINUTE * 60 * nth);
    // The three are claimed together; which thread polls its body first is the runtime's affair.
    let mut first = [starts.next().await, starts.next().await, starts.next().await];
    first.sort();
    assert_eq!(first, [3, 4, 5].map(hour));
    assert_eq!(starts.so_far(), [], "three run, and no more may");
    // One of them ends, and the oldest that waits begins; then another.
    for nth in [1, 2] {
        go_on.notify_one();
        rig.pass(SECOND * 5).await;
        assert_eq!(starts.next().await, hour(nth));
        assert_eq!(starts.so_far(), []);
    }
    for _ in 0..3 {
        go_on.notify_one();
    }
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_job_missed_by_hours_is_caught_up_under_its_own_date() {
    let rig = Rig::new();
    let job = Job::builder("daily")
        .cron("30 0 * * *")
        .tz("Asia/Jakarta")
        .run(|at: ScheduledAt| async move { at.to_rfc3339() });
    rig.stop(rig.run([job.clone()]).await).await;
    // From 07:00 to noon of the next day, in Jakarta.
    rig.clock.advance(MINUTE * 60 * 29);
    let scheduler = rig.run([job]).await;
    let found = rig.rows(scheduler.handle(), "daily", 1).await;
    assert_eq!(words(&found), ["succeeded #1"]);
    assert_eq!(found[0].origin, Origin::CatchUp);
    assert_eq!(found[0].message.as_deref(), Some("2026-01-02T00:30:00+07:00"));
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_taken_out_by_a_calendar_are_neither_run_nor_missed() {
    let rig = Rig::new();
    let daily = |id| {
        let job = Job::builder(id).cron("30 0 * * *").tz("Asia/Jakarta").catch_up(CatchUp::All);
        job.catch_up_window(MINUTE * 60 * 24 * 30)
            .except("closed")
            .run(|at: ScheduledAt| async move { at.to_rfc3339() })
    };
    let scheduler = |text: &str| {
        let calendar = Calendar::parse("closed", text).expect("a calendar");
        let builder = Scheduler::builder(rig.store.clone()).clock(rig.clock.clone());
        builder.jobs([daily("job")]).calendar(calendar).build().expect("valid").start()
    };
    let closed = "2026-01-03..2026-01-04\n2026-01-06";
    rig.stop(soon(scheduler(closed)).await.expect("the store answers")).await;
    // It is down from the 1st to the noon of the 5th, in Jakarta, then runs until the 7th.
    rig.clock.advance(MINUTE * 60 * (4 * 24 + 5));
    let running = soon(scheduler(closed)).await.expect("the store answers");
    rig.rows(running.handle(), "job", 2).await;
    for _ in 0..2 {
        rig.clock.advance(MINUTE * 60 * 24);
        rig.pass(SECOND * 5).await;
    }
    let found = rig.rows(running.handle(), "job", 3).await;
    let said: Vec<_> = found.iter().map(|row| (row.status, row.message.as_deref().unwrap_or_default())).collect();
    let expected = ["2026-01-02T00:30:00+07:00", "2026-01-05T00:30:00+07:00", "2026-01-07T00:30:00+07:00"];
    assert_eq!(said, expected.map(|at| (Status::Succeeded, at)));
    rig.stop(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_new_owes_nothing_of_the_time_before() {
    let rig = Rig::new();
    let (job, mut starts) = each_minute(CatchUp::Latest);
    let scheduler = rig.run([job]).await;
    rig.pass(SECOND * 30).await;
    assert_eq!(starts.so_far(), []);
    assert_eq!(rows(scheduler.handle(), "job").await, []);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_slept_catches_up_when_it_wakes() {
    let rig = Rig::new();
    let (job, mut starts) = each_minute(CatchUp::Latest);
    let scheduler = rig.run([job]).await;
    rig.pass(MINUTE).await;
    starts.next().await;
    rig.rows(scheduler.handle(), "job", 1).await;
    // One step: no timer fired in between.
    rig.clock.advance(MINUTE * 7 + SECOND * 5);
    let last = loop {
        let occurrence = starts.next().await;
        if occurrence.scheduled_at() == Some(start() + MINUTE * 8) {
            break occurrence;
        }
    };
    assert!(last.scheduled_at().is_some());
    rig.pass(SECOND * 10).await;
    let found = rig.rows(scheduler.handle(), "job", 3).await;
    let missed: u64 = found.iter().filter_map(|row| row.missed_count).sum();
    let own = found.iter().filter(|row| row.status == Status::Succeeded).count();
    assert_eq!(missed + u64::try_from(own).expect("few"), 8, "{:?}", words(&found));
    rig.stop(scheduler).await;
}
