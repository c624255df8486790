//! The schedulers, each in the way its own documentation shows.

use std::str::FromStr as _;

use chrono::Utc;

/// A scheduler under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Ours,
    OursCurrentThread,
    TokioCronScheduler,
    ApalisCron,
}

impl Peer {
    /// The first is what the others are compared with.
    pub(crate) const ALL: [Self; 4] = [Self::Ours, Self::OursCurrentThread, Self::TokioCronScheduler, Self::ApalisCron];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "scheduler",
            Self::OursCurrentThread => "scheduler, current_thread",
            Self::TokioCronScheduler => "tokio-cron-scheduler",
            Self::ApalisCron => "apalis-cron",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peer| peer.name() == name)
    }

    pub(crate) const fn is_current_thread(self) -> bool {
        matches!(self, Self::OursCurrentThread)
    }

    /// Registers this many jobs with one expression of six fields, seconds first, and starts them.
    pub(crate) async fn start(self, jobs: usize, expression: &str, body: fn(usize)) {
        match self {
            Self::Ours | Self::OursCurrentThread => ours(jobs, expression, body).await,
            Self::TokioCronScheduler => tokio_cron_scheduler(jobs, expression, body).await,
            Self::ApalisCron => apalis_cron(jobs, expression, body),
        }
    }
}

async fn ours(jobs: usize, expression: &str, body: fn(usize)) {
    use scheduler::{Scheduler, job::Job, store::memory::MemoryStore};
    let jobs = (0..jobs)
        .map(|index| Job::builder(format!("job-{index}")).cron(expression).run(move || async move { body(index) }));
    let scheduler = Scheduler::builder(MemoryStore::new()).jobs(jobs).build().expect("valid jobs");
    let running = scheduler.start().await.expect("the memory store answers");
    std::mem::forget(running);
}

async fn tokio_cron_scheduler(jobs: usize, expression: &str, body: fn(usize)) {
    use tokio_cron_scheduler::{Job, JobScheduler};
    let scheduler = JobScheduler::new().await.expect("a scheduler");
    for index in 0..jobs {
        let job =
            Job::new_async(expression, move |_, _| Box::pin(async move { body(index) })).expect("a valid expression");
        scheduler.add(job).await.expect("a job is added");
    }
    scheduler.start().await.expect("the scheduler starts");
    std::mem::forget(scheduler);
}

fn apalis_cron(jobs: usize, expression: &str, body: fn(usize)) {
    use apalis::prelude::*;
    use apalis_cron::{CronScheduler, Tick};
    async fn handle(_: Tick<Utc>, work: Data<(usize, fn(usize))>) {
        let (index, body) = *work;
        body(index);
    }
    for index in 0..jobs {
        let schedule = cron::Schedule::from_str(expression).expect("a valid expression");
        let backend = CronScheduler::new(schedule).with_timezone(Utc);
        let worker = WorkerBuilder::new(format!("job-{index}")).backend(backend).data((index, body)).build(handle);
        tokio::spawn(async move { worker.run().await });
    }
}
