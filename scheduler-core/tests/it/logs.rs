//! What bodies log, and what is kept of it.

use std::sync::{Arc, Once};

use scheduler_core::{
    Scheduler, SchedulerHandle, TriggerRequest,
    context::JobContext,
    execution::Execution,
    job::{Job, JobBuilder},
    logs::{self, LogLevel},
    outcome::{JobError, JobResult},
    status::Status,
    store::{LogPage, LogQuery, LogStart},
};
use tokio::sync::Notify;
use tracing::{Instrument as _, debug, error, info, info_span, trace, warn};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{
    away::{Switch, SwitchedStore},
    rig::{MINUTE, Rig, SECOND, Starts, ended, id, rows, soon, told, words},
};

/// Has the process listen to what bodies log.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(logs::layer());
        tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    });
}

fn manual() -> JobBuilder {
    listen();
    Job::builder("job").manual().retries(0)
}

async fn triggered(handle: &SchedulerHandle, job: &str) -> Execution {
    soon(handle.trigger(TriggerRequest::new(id(job)))).await.expect("accepted").execution
}

async fn page(handle: &SchedulerHandle, row: &Execution) -> LogPage {
    let start = LogStart::After(0);
    let query = LogQuery { execution_id: row.id, start, level: LogLevel::Trace, limit: 10_000 };
    soon(handle.logs(&query)).await.expect("the memory store answers")
}

fn texts(page: &LogPage) -> Vec<&str> {
    page.lines.iter().map(|line| line.message.as_str()).collect()
}

/// Lets time go by until this many lines were logged.
async fn logged(rig: &Rig, handle: &SchedulerHandle, row: &Execution, count: u64) -> LogPage {
    let look = async {
        loop {
            let page = page(handle, row).await;
            if page.logged >= count {
                return page;
            }
            rig.pass(SECOND / 2).await;
        }
    };
    soon(look).await
}

/// What the one run of a job on request logged.
async fn lines_of(job: Job) -> LogPage {
    let rig = Rig::new();
    let scheduler = rig.run([job]).await;
    let row = triggered(scheduler.handle(), "job").await;
    let row = ended(scheduler.handle(), &row).await;
    assert_eq!(row.status, Status::Succeeded, "{row:?}");
    rig.stop(scheduler).await;
    let handle = rig.run([]).await;
    let page = page(handle.handle(), &row).await;
    rig.stop(handle).await;
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_within_an_execution_is_kept_in_its_order() {
    let job = manual().run(|| async {
        info!(target: "hris", page = 3, name = "Ayu", "wrote a page");
        let nested = info_span!("page", number = 4);
        nested.in_scope(|| warn!("within a span"));
        tokio::spawn(async { error!(code = ?Some(7), "in a task") }.in_current_span()).await.expect("it ends");
        let deep = info_span!(parent: &nested, "deep");
        std::thread::spawn(move || info!(parent: &deep, "on a thread")).join().expect("it ends");
        tokio::spawn(async { info!("in a task without the span") }).await.expect("it ends");
        debug!("below what is kept");
        info!(only = true, fields = 2);
        info!("");
    });
    let page = lines_of(job).await;
    let expected = [
        "wrote a page page=3 name=\"Ayu\"",
        "within a span",
        "in a task code=Some(7)",
        "on a thread",
        "only=true fields=2",
        "",
    ];
    assert_eq!(texts(&page), expected);
    assert_eq!(page.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!((page.lines[0].target.as_str(), page.lines[1].target.as_str()), ("hris", "it::logs"));
    assert_eq!((page.lines[1].level, page.lines[2].level), (LogLevel::Warn, LogLevel::Error));
    assert_eq!((page.logged, page.dropped()), (6, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_that_run_side_by_side_have_lines_of_their_own() {
    listen();
    let rig = Rig::new();
    let job = |name: &'static str| {
        Job::builder(name).manual().run(move || async move {
            for n in 0..100 {
                info!("{name} {n}");
                tokio::task::yield_now().await;
            }
        })
    };
    let scheduler = rig.run([job("left"), job("right")]).await;
    let (left, right) = (triggered(scheduler.handle(), "left").await, triggered(scheduler.handle(), "right").await);
    for (row, name) in [(left, "left"), (right, "right")] {
        let page = logged(&rig, scheduler.handle(), &row, 100).await;
        assert_eq!(texts(&page), (0..100).map(|n| format!("{name} {n}")).collect::<Vec<_>>());
    }
    rig.stop(scheduler).await;
}

/// A job that logs, tells of it, and waits until it may go on.
fn logging_gate() -> (Job, Starts, Arc<Notify>) {
    listen();
    let (tell, starts) = told();
    let go_on = Arc::new(Notify::new());
    let gate = Arc::clone(&go_on);
    let job = Job::builder("job").manual().retries(0).run(move |context: JobContext| {
        let (tell, gate) = (tell.clone(), Arc::clone(&gate));
        async move {
            info!("begun");
            tell.send(context.occurrence().clone()).expect("the test listens");
            gate.notified().await;
            info!("done");
            if context.cancellation_token().is_cancelled() { "disturbed" } else { "undisturbed" }
        }
    });
    (job, starts, go_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_instance_sees_a_running_job_s_lines_within_two_seconds() {
    let rig = Rig::shared();
    let (job, mut starts, go_on) = logging_gate();
    let (first, other) = (rig.run([job]).await, rig.run([]).await);
    let row = triggered(first.handle(), "job").await;
    starts.next().await;
    rig.pass(2 * SECOND).await;
    assert_eq!(texts(&page(other.handle(), &row).await), ["begun"]);
    go_on.notify_one();
    ended(first.handle(), &row).await;
    // No time goes by: the last words come with the end.
    let last = async {
        while page(other.handle(), &row).await.logged < 2 {
            rig.clock.settle().await;
        }
    };
    soon(last).await;
    assert_eq!(texts(&page(other.handle(), &row).await), ["begun", "done"]);
    rig.stop(first).await;
    rig.stop(other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_very_many_lines_the_first_and_the_last_are_kept_and_the_rest_is_counted() {
    let page = lines_of(manual().run(|| async {
        for n in 1..=100_000 {
            info!("line {n}");
        }
    }))
    .await;
    assert_eq!((page.logged, page.kept, page.dropped()), (100_000, 1_000, 99_000));
    let texts = texts(&page);
    assert_eq!((texts[0], texts[899], texts[900], texts[999]), ("line 1", "line 900", "line 99901", "line 100000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_megabyte_is_cut_and_says_so() {
    let page = lines_of(manual().run(|| async {
        info!("{}", "é".repeat(1 << 19));
        info!(field = "x".repeat(1 << 20), "short");
    }))
    .await;
    for line in &page.lines {
        assert!(line.message.len() <= logs::LONGEST_LINE, "{}", line.message.len());
    }
    assert!(page.lines[0].message.ends_with("é… (cut, 1048576 bytes)"));
    assert!(page.lines[1].message.starts_with("short field=\"xxx") && page.lines[1].message.ends_with("bytes)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_and_control_characters_are_not_kept() {
    let page = lines_of(manual().run(|| async {
        info!(password = "hunter2 and more", api_key = ?Some("k1"), total = 2, "signed in");
        info!("connects to postgres://hris:hunter2@db/hris");
        info!(header = "Authorization: Bearer abcDEF123456", "asks");
        info!("{}password=hunter2", "x".repeat(logs::LONGEST_LINE - 10));
        info!("<script>\0\x1b[31m\u{202e}naik\n\tend");
    }))
    .await;
    let texts = texts(&page);
    assert!(page.lines.iter().all(|line| !line.message.contains("hunter2") && !line.message.contains("abcDEF")));
    assert_eq!(texts[0], "signed in password=[redacted] api_key=[redacted] total=2");
    assert_eq!(texts[1], "connects to postgres://hris:[redacted]@db/hris");
    assert_eq!(texts[4], "<script>\u{fffd}\u{fffd}[31m\u{202e}naik\n\tend");
}

/// R9, R3: neither an outcome nor a renewal waits for what executions say.
#[tokio::test(flavor = "multi_thread")]
async fn outcomes_and_leases_go_on_while_lines_can_not_be_written() {
    let rig = Rig::new();
    let switch = Switch::default();
    switch.set_only("report");
    let store = SwitchedStore { inner: rig.store.clone(), switch: switch.clone() };
    let (job, mut starts, go_on) = logging_gate();
    let scheduler = rig.run_on(store, [job]).await;
    switch.set_holding_answers(true);
    switch.set_away(true);
    let row = triggered(scheduler.handle(), "job").await;
    starts.next().await;
    rig.pass(MINUTE).await;
    assert!(scheduler.handle().health().ready);
    go_on.notify_one();
    let row = ended(scheduler.handle(), &row).await;
    assert_eq!((row.status, row.message.as_deref()), (Status::Succeeded, Some("undisturbed")));
    assert_eq!(page(scheduler.handle(), &row).await.logged, 0);
    switch.set_away(false);
    rig.pass(30 * SECOND).await;
    switch.set_holding_answers(false);
    let page = logged(&rig, scheduler.handle(), &row, 2).await;
    assert_eq!(texts(&page), ["begun", "done"]);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_the_store_refuses_are_left_out_and_others_come() {
    listen();
    let rig = Rig::new();
    let store = SwitchedStore { inner: rig.store.clone(), switch: Switch::default() };
    let job = |name, line: &'static str| Job::builder(name).manual().run(move || async move { info!("{line}") });
    let scheduler = rig.run_on(store, [job("bad", "poison"), job("good", "bread")]).await;
    let bad = triggered(scheduler.handle(), "bad").await;
    let good = triggered(scheduler.handle(), "good").await;
    assert_eq!(texts(&logged(&rig, scheduler.handle(), &good, 1).await), ["bread"]);
    let again = triggered(scheduler.handle(), "good").await;
    assert_eq!(texts(&logged(&rig, scheduler.handle(), &again, 1).await), ["bread"]);
    assert_eq!(ended(scheduler.handle(), &bad).await.status, Status::Succeeded);
    assert_eq!(page(scheduler.handle(), &bad).await.logged, 0);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_body_says_as_it_is_stopped_is_written_before_the_end() {
    let rig = Rig::new();
    let (tell, mut starts) = told();
    let job = manual().run(move |context: JobContext| {
        let tell = tell.clone();
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            context.cancellation_token().cancelled().await;
            warn!("cleans up");
            JobResult::<()>::Err(JobError::new("stopped"))
        }
    });
    let scheduler = rig.run([job]).await;
    let row = triggered(scheduler.handle(), "job").await;
    starts.next().await;
    let handle = scheduler.handle().clone();
    rig.stop(scheduler).await;
    assert_eq!(texts(&page(&handle, &row).await), ["cleans up"]);
    assert_eq!(words(&rows(&handle, "job").await), ["failed #1"]);
}

/// Runs the job of all levels on a scheduler that keeps up to one; what was kept.
async fn kept(level: Option<LogLevel>) -> Vec<String> {
    let rig = Rig::new();
    let job = manual().run(|| async {
        error!("error");
        warn!("warn");
        info!("info");
        debug!("debug");
        trace!("trace");
    });
    let scheduler = Scheduler::builder(rig.store.clone()).jobs([job]).clock(rig.clock.clone()).capture_logs(level);
    let scheduler = soon(scheduler.build().expect("a valid job").start()).await.expect("the store answers");
    let row = triggered(scheduler.handle(), "job").await;
    ended(scheduler.handle(), &row).await;
    let handle = scheduler.handle().clone();
    rig.stop(scheduler).await;
    let page = page(&handle, &row).await;
    // The engine's own words may be among them.
    let own = page.lines.iter().filter(|line| line.target == "it::logs");
    own.map(|line| line.message.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_kept_up_to_the_level_that_is_asked_for() {
    assert_eq!(kept(Some(LogLevel::Error)).await, ["error"]);
    assert_eq!(kept(Some(LogLevel::Debug)).await, ["error", "warn", "info", "debug"]);
    assert_eq!(kept(Some(LogLevel::Trace)).await, ["error", "warn", "info", "debug", "trace"]);
    assert!(kept(None).await.is_empty());
}
