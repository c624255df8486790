//! The watchdog: tells of occurrences without a row, bodies that will not stop, and instances that went away.
//!
//! It only tells, once for each; `decide`, the grace time and recovery see to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::{error, warn};

use crate::{
    engine::{Engine, JobIndex, Passed, Stop, limited},
    event::Event,
    identity::{ExecutionId, InstanceId},
    metrics,
    status::Reason,
};

/// How long after its instant an occurrence without a row is told of: several looks of `decide`.
const OVERDUE: TimeDelta = TimeDelta::seconds(10);

/// Of how many looks one reads the list of instances.
const INSTANCES_EVERY: u32 = 5;

/// How long the store may take.
const LIMIT: Duration = Duration::from_secs(5);

/// What was told, so that it is told once.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    looks: u32,
    overdue: BTreeMap<JobIndex, DateTime<Utc>>,
    stuck: BTreeSet<ExecutionId>,
    gone: BTreeSet<InstanceId>,
}

impl Watch {
    /// One look.
    pub(crate) async fn run_once(&mut self, engine: &Arc<Engine>) {
        self.tell_of_overdue(engine);
        self.tell_of_stuck(engine);
        metrics::watched(self.overdue.len(), self.stuck.len());
        if self.looks.is_multiple_of(INSTANCES_EVERY) {
            self.tell_of_gone(engine).await;
        }
        self.looks = self.looks.wrapping_add(1);
    }

    fn tell_of_overdue(&mut self, engine: &Arc<Engine>) {
        let overdue = engine.undecided.until(engine.now() - OVERDUE);
        let has_no_row = |passed: &Passed| !passed.is_paused && !passed.settled.contains(&passed.first.scheduled_at);
        let overdue: BTreeMap<JobIndex, DateTime<Utc>> = overdue
            .into_iter()
            .filter(|(_, passed)| has_no_row(passed))
            .map(|(job, passed)| (job, passed.first.scheduled_at))
            .collect();
        self.overdue.retain(|job, _| overdue.contains_key(job));
        for (job, scheduled_at) in overdue {
            if engine.jobs.get(job).is_scheduled() && !self.overdue.contains_key(&job) {
                let job_id = engine.jobs.get(job).settings().id.clone();
                error!(%job_id, %scheduled_at, "an occurrence went by and has no row: it is decided as soon as the store lets it be");
                engine.events.tell(Event::Overdue { job_id, scheduled_at });
                self.overdue.insert(job, scheduled_at);
            }
        }
    }

    fn tell_of_stuck(&mut self, engine: &Arc<Engine>) {
        let running = engine.running.all();
        self.stuck.retain(|id| running.iter().any(|run| run.execution_id == *id));
        for run in running.iter().filter(|run| !run.ended && run.control.abort.is_cancelled()) {
            if self.stuck.insert(run.execution_id) {
                let job_id = engine.jobs.get(run.job).settings().id.clone();
                let reason = run.control.stopped().map_or(Reason::LeaseLost, reason);
                error!(%job_id, execution_id = %run.execution_id, %reason, "a body was told to stop and runs on without an await: it keeps its lease and its key until it ends");
                engine.events.tell(Event::Stuck { job_id, execution_id: run.execution_id, reason });
            }
        }
    }

    async fn tell_of_gone(&mut self, engine: &Arc<Engine>) {
        let call = limited(&*engine.clock, LIMIT, "read the instances", engine.store.instances());
        let instances = match call.await {
            Ok(instances) => instances,
            Err(error) => {
                engine.health.store_failed(&error);
                return;
            }
        };
        let lease = TimeDelta::from_std(engine.jobs.longest_lease()).unwrap_or(TimeDelta::MAX);
        let silent = |seen_at: DateTime<Utc>| engine.now() - seen_at > lease;
        metrics::instances(instances.iter().filter(|found| !silent(found.seen_at)).count());
        self.gone
            .retain(|gone| instances.iter().any(|found| found.heartbeat.instance == *gone && silent(found.seen_at)));
        for found in instances.iter().filter(|found| silent(found.seen_at)) {
            let (instance, seen_at) = (found.heartbeat.instance, found.seen_at);
            if instance != engine.instance && self.gone.insert(instance) {
                warn!(%instance, host = found.heartbeat.host, pid = found.heartbeat.pid, %seen_at, "an instance went away without a word: what it ran is found by its leases");
                engine.events.tell(Event::InstanceGone { instance, seen_at });
            }
        }
    }
}

const fn reason(stop: Stop) -> Reason {
    match stop {
        Stop::Timeout => Reason::Timeout,
        Stop::ByRequest => Reason::ByRequest,
        Stop::LeaseLost => Reason::LeaseLost,
        Stop::Shutdown => Reason::Shutdown,
    }
}
