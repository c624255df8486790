//! What an annotation makes.

use std::{future::ready, time::Duration};

use scheduler::{
    Scheduler,
    cron::{Calendar, Dialect, FoldPolicy, GapPolicy},
    job::{Backoff, CatchUp, JobSettings, OnCrash, OnLostLease, OverlapPolicy},
    prelude::*,
    registered_jobs,
    store::memory::MemoryStore,
};

/// Sends the report
/// of the day.
///
/// It goes to everybody.
#[scheduled_job(id = "daily.report", cron = "30 0 * * *", tz = "Asia/Jakarta")]
async fn report(State(name): State<String>, Attempt(attempt): Attempt) -> String {
    ready(()).await;
    format!("{name} {attempt}")
}

#[scheduled_job(manual)]
pub(crate) async fn heartbeat() {}

/// Not this.
#[scheduled_job(
    every = "1h 30m",
    id = "everything",
    name = "Everything",
    description = "All that can be said.",
    tags = ["hr", "test"],
    enabled = false,
    retries = 7,
    retry_delay = "5s",
    backoff = exponential,
    max_retry_delay = "10m",
    timeout = "8m",
    start_deadline = "250ms",
    catch_up = all,
    catch_up_window = "2d",
    catch_up_limit = 50,
    overlap = queue_one,
    on_crash = rerun,
    on_lost_lease = ignore,
    lease_ttl = "2s",
    jitter = "10m",
    crate = scheduler,
)]
async fn everything(
    _context: JobContext,
    _params: Params<Option<u32>>,
    _at: ScheduledAt,
    _token: CancellationToken,
    _fence: FencingToken,
) -> JobResult {
    Ok(Outcome::succeeded("all of it"))
}

#[scheduled_job(cron = ["0 2 * * *", "30 14 * * SAT"], tz = "Europe/Berlin", dst_gap = skip, dst_fold = last)]
async fn union() {}

#[scheduled_job(cron = "0 9 * * 0-4", dialect = "apscheduler", tz = "Asia/Jakarta", except = "id-holidays")]
async fn payroll() {}

#[scheduled_job(at = "2027-01-01T06:00:00.5+07:00")]
async fn new_year() {}

#[scheduled_job(after = "payroll")]
async fn payslips() {}

#[scheduled_job(after = ["payroll", "payslips"], catch_up_limit = 0)]
async fn archive(_payroll: Upstream<Option<String>>) {}

#[scheduled_job(every = "1m", every_instance)]
async fn cache() {}

#[scheduled_job(every_instance = false, on_crash = rerun, every = "1m")]
async fn once() {}

#[cfg(feature = "quartz")]
#[scheduled_job(dialect = "quartz", cron = ["0 0 9 * * 2-6", "0 0 12 1-7 * SAT"])]
async fn migrated() {}

/** A comment
 * of two lines.
 *
 * And more.
 */
#[scheduled_job(manual, tags = [])]
async fn starred() -> Result<impl scheduler::outcome::IntoOutcome, std::io::Error> {
    Ok("done")
}

#[scheduled_job(manual)]
#[cfg(any())]
async fn absent() -> NoSuchType {}

fn settings(job: Job) -> JobSettings {
    JobSettings::clone(job.settings())
}

#[tokio::test]
async fn an_annotated_function_is_called_as_any_other() {
    assert_eq!(report(State("x".to_owned()), Attempt(2)).await, "x 2");
    heartbeat().await;
    assert!(starred().await.is_ok());
}

#[test]
fn every_key_is_the_builders_method_of_its_name() {
    let by_hand = Job::builder("everything")
        .every(Duration::from_secs(5400))
        .name("Everything")
        .description("All that can be said.")
        .tags(["hr", "test"])
        .enabled(false)
        .retries(7)
        .retry_delay(Duration::from_secs(5))
        .backoff(Backoff::Exponential)
        .max_retry_delay(Duration::from_secs(600))
        .timeout(Duration::from_secs(480))
        .start_deadline(Duration::from_millis(250))
        .catch_up(CatchUp::All)
        .catch_up_window(Duration::from_secs(2 * 86_400))
        .catch_up_limit(50)
        .overlap(OverlapPolicy::QueueOne)
        .on_crash(OnCrash::Rerun)
        .on_lost_lease(OnLostLease::Ignore)
        .lease_ttl(Duration::from_secs(2))
        .jitter(Duration::from_secs(600))
        .run(everything);
    let [annotated] = jobs![everything].try_into().expect("one job");
    assert_eq!(format!("{annotated:?}"), format!("{by_hand:?}"));
}

#[test]
fn a_union_is_one_trigger_with_its_clock_changes() {
    let by_hand = Job::builder("union")
        .cron_any(["0 2 * * *", "30 14 * * SAT"])
        .tz("Europe/Berlin")
        .dst_gap(GapPolicy::Skip)
        .dst_fold(FoldPolicy::Last)
        .run(union);
    let [annotated] = jobs![union].try_into().expect("one job");
    assert_eq!(format!("{annotated:?}"), format!("{by_hand:?}"));
    let text = settings(annotated).trigger.to_string();
    assert_eq!(text, "0 2 * * * | 30 14 * * 6 Europe/Berlin gap=skip fold=last");
}

#[test]
fn a_dialect_and_a_calendar_are_the_builders() {
    let by_hand = Job::builder("payroll")
        .cron("0 9 * * 0-4")
        .tz("Asia/Jakarta")
        .dialect(Dialect::Apscheduler)
        .except("id-holidays")
        .run(payroll);
    let [annotated] = jobs![payroll].try_into().expect("one job");
    assert_eq!(format!("{annotated:?}"), format!("{by_hand:?}"));
    assert_eq!(settings(annotated).trigger.to_string(), "0 9 * * 1-5 Asia/Jakarta");
}

#[test]
fn the_calendar_is_found_when_the_scheduler_is_built() {
    let builder = || Scheduler::builder(MemoryStore::new()).jobs(jobs![payroll]);
    let error = builder().build().expect_err("there is no calendar");
    assert!(error.to_string().starts_with("job `payroll`: unknown calendar `id-holidays`"), "{error}");
    let holidays = Calendar::parse("id-holidays", "2026-08-17 Proklamasi Kemerdekaan").expect("a calendar");
    assert!(builder().calendar(holidays).build().is_ok());
}

#[test]
fn an_instant_is_the_builders() {
    let by_hand = Job::builder("new_year").at("2026-12-31T23:00:00.500Z".parse().expect("an instant")).run(new_year);
    let [annotated] = jobs![new_year].try_into().expect("one job");
    assert_eq!(format!("{annotated:?}"), format!("{by_hand:?}"));
    assert_eq!(settings(annotated).trigger.to_string(), "at 2026-12-31T23:00:00.500Z");
}

#[test]
fn a_job_runs_after_one_or_several() {
    let by_hand = [
        Job::builder("payslips").after(["payroll"]).run(payslips),
        Job::builder("archive").after(["payroll", "payslips"]).catch_up_limit(0).run(archive),
    ];
    assert_eq!(format!("{:?}", jobs![payslips, archive]), format!("{by_hand:?}"));
}

#[test]
fn every_instance_is_a_flag_or_a_truth() {
    let by_hand = [
        Job::builder("cache").every(Duration::from_secs(60)).every_instance(true).run(cache),
        Job::builder("once").every(Duration::from_secs(60)).every_instance(false).on_crash(OnCrash::Rerun).run(once),
    ];
    assert_eq!(format!("{:?}", jobs![cache, once]), format!("{by_hand:?}"));
}

#[cfg(feature = "quartz")]
#[test]
fn an_expression_of_the_cron_crate_keeps_its_meaning() {
    let by_hand =
        Job::builder("migrated").dialect(Dialect::Quartz).cron_any(["0 0 9 * * 2-6", "0 0 12 1-7 * SAT"]).run(migrated);
    let [annotated] = jobs![migrated].try_into().expect("one job");
    assert_eq!(format!("{annotated:?}"), format!("{by_hand:?}"));
    assert_eq!(settings(annotated).trigger.to_string(), "0 9 * * 1-5 | 0 12 1-7 * &6 UTC");
}

#[test]
fn what_is_not_said_is_the_builders_default() {
    let by_hand = Job::builder("heartbeat").manual().run(heartbeat);
    let [annotated] = jobs![heartbeat].try_into().expect("one job");
    assert_eq!(format!("{annotated:?}"), format!("{by_hand:?}"));
}

#[test]
fn the_description_is_the_first_paragraph_of_the_doc_comment() {
    let described: Vec<_> = jobs![report, heartbeat, everything, starred].into_iter().map(settings).collect();
    let described: Vec<_> = described.iter().map(|settings| settings.description.as_deref()).collect();
    let expected =
        [Some("Sends the report of the day."), None, Some("All that can be said."), Some("A comment of two lines.")];
    assert_eq!(described, expected);
}

#[test]
fn the_cron_trigger_follows_its_zone() {
    let [report] = jobs![self::report].try_into().expect("one job");
    assert_eq!(settings(report).trigger.to_string(), "30 0 * * * Asia/Jakarta");
}

#[test]
fn a_job_inside_a_function_is_a_job_too() {
    #[scheduled_job(manual, id = "nested")]
    async fn inner() -> &'static str {
        "inner"
    }
    assert_eq!(jobs![inner].len(), 1);
}

#[test]
fn every_annotated_function_is_linked_by_id() {
    let mut ids: Vec<_> = registered_jobs().iter().map(|job| job.settings().id.to_string()).collect();
    // Whether it is there depends on a feature.
    ids.retain(|id| id != "migrated");
    let expected = [
        "archive",
        "cache",
        "daily.report",
        "everything",
        "fails",
        "greet",
        "heartbeat",
        "nested",
        "new_year",
        "once",
        "panics",
        "payroll",
        "payslips",
        "starred",
        "union",
    ];
    assert_eq!(ids, expected);
}
