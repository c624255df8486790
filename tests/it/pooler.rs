//! Through a pooler in transaction mode, which gives each transaction another of its connections (R14).

use std::{collections::BTreeMap, time::Duration};

use scheduler::{
    Scheduler, TriggerRequest,
    identity::JobId,
    job::Job,
    postgres::PostgresStore,
    prelude::{Attempt, JobContext, JobError, JobResult},
    status::Status,
};
use scheduler_tests::{Database, Pooler};
use tokio::sync::mpsc;

/// R14: no session state.
///
/// Two instances share three connections; a job due each second and one that is retried run as they do without it.
#[tokio::test(flavor = "multi_thread")]
async fn through_a_pooler_in_transaction_mode_each_occurrence_runs_once() {
    let database = Database::create().await;
    let pooler = Pooler::start(3);
    let (tell, mut runs) = mpsc::unbounded_channel();
    let ticks = Job::builder("ticks").cron("* * * * * *").run(move |context: JobContext| {
        let tell = tell.clone();
        async move { tell.send(context.occurrence().to_string()).expect("the test listens") }
    });
    let retried = Job::builder("retried").manual().retries(1).retry_delay(Duration::ZERO);
    let retried = retried.run(|attempt: Attempt| async move {
        if attempt.0 == 1 { JobResult::<()>::Err(JobError::new("not yet")) } else { Ok(()) }
    });
    let mut instances = Vec::new();
    for _ in 0..2 {
        // Each makes or checks the tables through the pooler, too.
        let store = PostgresStore::connect(&pooler.url_of(database.name())).await.expect("the pooler answers");
        let jobs = [ticks.clone(), retried.clone()];
        let scheduler = Scheduler::builder(store).jobs(jobs).build().expect("valid jobs").start().await;
        instances.push(scheduler.expect("the store answers"));
    }
    let handle = instances[0].handle().clone();
    let request = TriggerRequest::new(JobId::parse("retried").expect("valid"));
    let row = handle.trigger(request).await.expect("accepted").execution;
    let ended = handle.wait(&row.job_id, &row.occurrence, Duration::from_secs(30)).await.expect("read");
    assert_eq!(ended.map(|row| (row.status, row.attempt)), Some((Status::Succeeded, 2)));

    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    while counts.len() < 8 {
        let run = tokio::time::timeout(Duration::from_secs(30), runs.recv()).await.expect("it runs each second");
        *counts.entry(run.expect("the job lives")).or_default() += 1;
    }
    for instance in instances {
        instance.shutdown(Duration::from_secs(5)).await;
    }
    while let Ok(run) = runs.try_recv() {
        *counts.entry(run).or_default() += 1;
    }
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    let open = "SELECT count(*) FROM job_executions WHERE status IN ('running', 'abandoned')";
    assert_eq!(database.number(open).await, 0, "every run has its outcome");
    drop(pooler);
    database.drop().await;
}
