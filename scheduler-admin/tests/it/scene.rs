//! A service that has run for three weeks: every page has something to show.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use scheduler_core::{
    SchedulerBuilder,
    clock::{Clock as _, ManualClock, SystemClock},
    context::JobContext,
    extract::{ScheduledAt, State},
    job::{CatchUp, Job, JobBuilder},
    outcome::{JobError, JobResult, Outcome},
    store::memory::MemoryStore,
    testing::ManualScheduler,
};
use serde_json::json;
use tracing::{info, warn};

use crate::service::Gate;

/// How long ago it began.
const HISTORY: Duration = Duration::from_secs(21 * 24 * 60 * 60);
/// How long its machine slept, this long ago.
const SLEEP: Duration = Duration::from_secs(3 * 60 * 60 + 10 * 60);
const SLEPT: TimeDelta = TimeDelta::hours(9);

/// The clock of the time that has gone by; none once it is now.
#[derive(Debug, Clone, Default)]
struct Past(Arc<OnceLock<ManualClock>>);

impl Past {
    /// Lets a run take as long as it would have; now it takes no time.
    async fn take(&self, seconds: f64) {
        if let Some(clock) = self.0.get() {
            clock.sleep(Duration::from_secs_f64(seconds)).await;
        }
    }
}

/// A number from 0 to 1 that an instant always has.
fn chance(at: DateTime<Utc>) -> f64 {
    let mixed = (at.timestamp() as u64 / 60).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635;
    (mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / (1_u64 << 24) as f64
}

/// A job that takes about so many seconds, and fails in this share of its runs.
fn works(job: JobBuilder, seconds: f64, fails: f64) -> Job {
    job.run(move |State(past): State<Past>, ScheduledAt(at): ScheduledAt| async move {
        let chance = chance(at.to_utc());
        past.take(seconds * (0.4 + chance)).await;
        if chance < fails {
            Err(JobError::new("the directory answered 503"))
        } else {
            Ok(format!("{:.0} rows", 40.0 + chance * 200.0))
        }
    })
}

pub(crate) fn jobs() -> Vec<Job> {
    let jakarta = |id: &str, cron: &str| Job::builder(id).cron(cron).tz("Asia/Jakarta");
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    vec![
        works(
            jakarta("attendance.daily_close", "30 0 * * *")
                .name("Close the day")
                .description("Gives every active employee an \"absent\" row for the day.")
                .tags(["hr"])
                .retry_delay(minutes(1))
                .timeout(minutes(8)),
            40.0,
            0.0,
        ),
        works(
            jakarta("attendance.reminder", "0 9,14 * * MON-FRI")
                .description("Reminds who has not checked in.")
                .tags(["hr"]),
            6.0,
            0.0,
        ),
        works(
            jakarta("directory.sync", "*/15 * * * *").description("Reads the directory.").tags(["it"]).retries(0),
            1.2,
            0.06,
        ),
        works(
            jakarta("backup.snapshot", "0 */3 * * *").description("Keeps a copy.").tags(["it"]).catch_up(CatchUp::Skip),
            90.0,
            0.0,
        ),
        works(
            jakarta("etl.extract", "0 1 * * *").description("Takes the day out of the time clocks.").tags(["etl"]),
            30.0,
            0.0,
        ),
        works(
            Job::builder("etl.transform").after(["etl.extract"]).description("Makes hours of stamps.").tags(["etl"]),
            50.0,
            0.0,
        ),
        works(
            Job::builder("etl.holidays").after(["etl.extract"]).description("Marks the holidays.").tags(["etl"]),
            8.0,
            0.0,
        ),
        works(
            Job::builder("etl.load")
                .after(["etl.transform", "etl.holidays"])
                .description("Writes the hours.")
                .tags(["etl"]),
            20.0,
            0.0,
        ),
        jakarta("payroll.export", "0 6 * * *")
            .description("Sends the approved payroll to the bank.")
            .tags(["hr", "bank"])
            .retries(2)
            .retry_delay(minutes(2))
            .run(payroll),
        jakarta("mail.birthdays", "0 9 * * *")
            .description("Congratulates.")
            .tags(["hr"])
            .retries(0)
            .run(|| async { Err::<Outcome, _>(JobError::permanent("no luck: the mailbox does not exist")) }),
        jakarta("report.weekly", "0 8 * * MON")
            .description("The weekly report.")
            .tags(["hr"])
            .timeout(minutes(8))
            .run(report),
        Job::builder("stock.count")
            .cron("30 2 * 3 SUN#2")
            .tz("America/New_York")
            .description("Counts the stock in the night in which clocks go forward.")
            .run(|| async {}),
        Job::builder("leave.accrual").description("Waits until the books are open.").manual().retries(0).run(accrual),
        Job::builder("books.open")
            .description("Opens the books.")
            .manual()
            .run(|State(gate): State<Gate>| async move { gate.0.add_permits(1) }),
    ]
}

/// It went well until today.
async fn payroll(State(past): State<Past>, ScheduledAt(at): ScheduledAt) -> JobResult {
    past.take(12.0 + 20.0 * chance(at.to_utc())).await;
    let today = SystemClock.now() - TimeDelta::hours(24);
    if at.to_utc() < today {
        Ok(Outcome::succeeded("812 payments"))
    } else {
        Err(JobError::new("the bank's gateway answered 503"))
    }
}

async fn report(State(past): State<Past>, context: JobContext) -> Outcome {
    info!(page = 1, received = 150, total = 150, "took a page of employees");
    warn!(employee_id = 77, "no attendance row for this employee; counts it and goes on");
    context.progress(150, 150);
    past.take(25.0).await;
    Outcome::succeeded("Total: 150, created: 150")
        .with_data(json!({ "created": 150, "largest": u64::MAX, "odd": 9_007_199_254_740_993_u64 }))
}

async fn accrual(State(gate): State<Gate>, context: JobContext) -> Result<(), JobError> {
    context.progress(1, 3);
    info!(gate = "closed", "waits for the books");
    tokio::select! {
        permit = gate.0.acquire() => {
            permit.expect("the gate is never closed").forget();
            context.progress(3, 3);
            Ok(())
        }
        () = context.cancellation_token().cancelled() => Err(JobError::permanent("told to stop")),
    }
}

/// The jobs, and what they need now.
pub(crate) fn parts(builder: SchedulerBuilder, gate: Gate) -> SchedulerBuilder {
    builder.jobs(jobs()).state(gate).state(Past::default()).version("1.4.0")
}

/// What the three weeks left, by the machine's clock from now on.
pub(crate) async fn history(gate: Gate) -> MemoryStore {
    // The last runs have ended, and its stop takes some seconds.
    let end = SystemClock.now() - TimeDelta::seconds(60);
    let past = Past::default();
    let parts = |builder: SchedulerBuilder| builder.jobs(jobs()).state(gate).state(past.clone());
    let mut scheduler = ManualScheduler::start(end - HISTORY, parts).await.expect("parts that fit");
    past.0.set(scheduler.clock().clone()).expect("it is set once");
    // Between two quarters of an hour, when nothing runs.
    let slept = (end - SLEPT).duration_trunc(TimeDelta::minutes(15)).expect("a year of ours") + TimeDelta::minutes(7);
    let until = |scheduler: &ManualScheduler, at: DateTime<Utc>| {
        (at - scheduler.clock().now()).to_std().expect("it is to come")
    };
    scheduler.pass(until(&scheduler, slept)).await;
    scheduler.clock().advance(SLEEP);
    scheduler.pass(until(&scheduler, end)).await;
    let store = scheduler.store().clone().with_clock(Arc::new(SystemClock)).declared_shared();
    scheduler.shutdown(Duration::from_secs(5)).await;
    store
}
