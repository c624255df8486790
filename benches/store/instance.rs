//! One instance, a process of its own that the benchmark starts of itself.

use std::{error::Error, io::stdin, path::PathBuf, time::Duration};

use scheduler::{
    RunningScheduler, Scheduler,
    context::JobContext,
    job::{Job, JobBuilder, OverlapPolicy},
    outcome::JobError,
    postgres::PostgresStore,
    redis::RedisLocks,
    store::memory::MemoryStore,
};
use scheduler_benches::{Usage, wall_clock};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::runs::{Run, Runs};

/// How long executions may go on once the instance was told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// How long a body runs that others meet.
const HOLD: Duration = Duration::from_secs(5);

/// What the jobs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jobs {
    /// Due each second, with an empty body.
    EverySecond,
    /// Due every ten seconds, all at one instant.
    AtOnce,
    /// Due each second; one in ten fails at its first attempt and is retried after a second.
    Failing,
    /// Due each second, with a body of five seconds, which the next occurrences meet.
    Holding,
    /// Run when they are asked to, beside each other.
    Beside,
    /// Run when they are asked to, one after the other.
    InTurn,
    /// Due in about a year.
    Yearly,
}

impl Jobs {
    const ALL: [Self; 7] =
        [Self::EverySecond, Self::AtOnce, Self::Failing, Self::Holding, Self::Beside, Self::InTurn, Self::Yearly];

    const fn name(self) -> &'static str {
        match self {
            Self::EverySecond => "every_second",
            Self::AtOnce => "at_once",
            Self::Failing => "failing",
            Self::Holding => "holding",
            Self::Beside => "beside",
            Self::InTurn => "in_turn",
            Self::Yearly => "yearly",
        }
    }

    /// Seconds from an occurrence to the next, of those that have some while it is measured.
    pub(crate) const fn period(self) -> i64 {
        match self {
            Self::AtOnce => 10,
            _ => 1,
        }
    }

    fn make(self, index: u32) -> Job {
        let builder = self.builder(Job::builder(job_id(index)));
        let fails = self == Self::Failing && index.is_multiple_of(10);
        let holds = self == Self::Holding;
        builder.run(move |context: JobContext| async move {
            note(index, &context);
            if holds {
                tokio::time::sleep(HOLD).await;
            }
            if fails && context.attempt() == 1 { Err(JobError::new("as it was told to")) } else { Ok(()) }
        })
    }

    fn builder(self, job: JobBuilder) -> JobBuilder {
        match self {
            Self::EverySecond | Self::Holding => job.cron("* * * * * *"),
            Self::AtOnce => job.cron("*/10 * * * * *"),
            Self::Failing => job.cron("* * * * * *").retry_delay(Duration::from_secs(1)),
            Self::Beside => job.manual().overlap(OverlapPolicy::Allow),
            Self::InTurn => job.manual(),
            Self::Yearly => job.cron("0 0 0 29 2 *"),
        }
    }
}

/// The id of a job, by its number.
pub(crate) fn job_id(index: u32) -> String {
    format!("job-{index}")
}

/// What an instance is told at its start.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) jobs: Jobs,
    pub(crate) count: u32,
    /// None for the memory store.
    pub(crate) database_url: Option<String>,
    /// With the namespace.
    pub(crate) redis: Option<(String, String)>,
    pub(crate) runs_file: PathBuf,
}

impl Spec {
    pub(crate) fn to_json(&self) -> String {
        json!({
            "jobs": self.jobs.name(),
            "count": self.count,
            "database_url": self.database_url,
            "redis_url": self.redis.as_ref().map(|(url, _)| url),
            "namespace": self.redis.as_ref().map(|(_, namespace)| namespace),
            "runs_file": self.runs_file.to_str().expect("a path in UTF-8"),
        })
        .to_string()
    }

    fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let jobs = text("jobs")?;
        Some(Self {
            jobs: Jobs::ALL.into_iter().find(|known| known.name() == jobs)?,
            count: value["count"].as_u64()?.try_into().ok()?,
            database_url: text("database_url"),
            redis: text("redis_url").zip(text("namespace")),
            runs_file: text("runs_file")?.into(),
        })
    }
}

static RUNS: Runs = Runs::new();

fn note(job: u32, context: &JobContext) {
    let started_ns = i64::try_from(wall_clock().as_nanos()).expect("a time before 2262");
    let scheduled_ms = context.scheduled_at().timestamp_millis();
    RUNS.add(Run { job, scheduled_ms, attempt: context.attempt(), started_ns });
}

/// Starts the instance, says so on a line, and answers lines: `cpu` with the microseconds that it has used, `stop` with its
/// end. Without its parent it ends.
pub(crate) fn run(spec: &str) {
    let spec = Spec::from_json(spec).expect("what the benchmark told itself");
    let runtime = Runtime::new().expect("a runtime");
    let before = wall_clock();
    let scheduler = match runtime.block_on(start(&spec)) {
        Ok(scheduler) => scheduler,
        Err(error) => {
            let mut chain = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                chain.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            println!("failed {chain}");
            return;
        }
    };
    println!("started {}", (wall_clock() - before).as_micros());
    for line in stdin().lines().map_while(Result::ok) {
        match line.as_str() {
            "cpu" => println!("cpu {}", Usage::now().cpu.as_micros()),
            "stop" => {
                runtime.block_on(scheduler.shutdown(DRAIN));
                RUNS.write(&spec.runs_file).expect("the starts are written");
                println!("stopped");
                std::process::exit(0);
            }
            other => panic!("what is `{other}`?"),
        }
    }
}

async fn start(spec: &Spec) -> Result<RunningScheduler, Box<dyn Error>> {
    let jobs = (0..spec.count).map(|index| spec.jobs.make(index));
    let mut builder = match &spec.database_url {
        Some(url) => Scheduler::builder(PostgresStore::connect(url).await?),
        None => Scheduler::builder(MemoryStore::new()),
    };
    if let Some((url, namespace)) = &spec.redis {
        builder = builder.lock_backend(RedisLocks::connect(url).await?.with_namespace(namespace)?);
    }
    Ok(builder.jobs(jobs).build()?.start().await?)
}
