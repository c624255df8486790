//! A simulation's run, from its seed to its report.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{runtime, task::unconstrained};

use super::{
    Backends, Report, Simulation,
    chaos::{self, Chaos},
    effects::Effects,
    fault::{self, Fault, Weights},
    jobs::Service,
    judge::Case,
    machine::{Life, Machine, Parts, Program, Site},
    network::Network,
    operator::Operator,
    time::{MachineClock, VirtualTime},
    trace::Trace,
};
use crate::{
    Scheduler,
    build_error::BuildError,
    clock::Clock as _,
    execution::Execution,
    identity::{InstanceId, JobId},
    job::JobSettings,
    lock::memory::MemoryLocks,
    occurrence::OccurrenceKey,
    random::{self, seeded},
    store::{ExecutionFilter, ExecutionQuery, HistoryStore as _, PageStart, memory::MemoryStore},
    testing::{
        LedgerJob, Violation,
        chance::Chance,
        check_change, check_ledger,
        executor::{Executor, Group},
    },
};

/// How likely it is that a process has the newer version of the jobs.
const NEWER: f64 = 0.25;

/// How often the rows are read, to see what became of them.
const READING: Duration = Duration::from_secs(5);

/// How long ago an occurrence must have been to be decided for sure, when nothing is wrong.
const DECIDED: TimeDelta = TimeDelta::seconds(10);

/// All that a simulation is made of.
pub(crate) struct World {
    seed: u64,
    backends: Backends,
    span: Duration,
    faults: Vec<Fault>,
    jobs: BTreeMap<JobId, Arc<JobSettings>>,
    clock: MachineClock,
    store: Option<MemoryStore>,
    effects: Effects,
    trace: Trace,
    chaos: Chaos,
    accepted: Arc<Mutex<Vec<(JobId, OccurrenceKey)>>>,
    executor: Executor,
    supervisors: Group,
    requests: Group,
    /// What is on its way through the network.
    transit: Group,
    site: Arc<Site>,
}

impl World {
    pub(crate) fn run(simulation: &Simulation) -> Result<Report, BuildError> {
        let _drawn = seeded::seed(simulation.seed);
        let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime without threads and without input").block_on(unconstrained(async {
            let mut chance = Chance::new(simulation.seed);
            let world = Self::new(simulation, &mut chance)?;
            let executor = world.executor.clone();
            let mut life = std::pin::pin!(world.live(chance));
            let report = poll_fn(|context| {
                let report = life.as_mut().poll(context);
                if report.is_pending() {
                    executor.poll_ready(context);
                }
                report
            });
            Ok(report.await)
        }))
    }

    fn new(simulation: &Simulation, chance: &mut Chance) -> Result<Self, BuildError> {
        let seed = simulation.seed;
        let backends = simulation.backends.unwrap_or_else(|| match chance.below(10) {
            0..4 => Backends::Store,
            4..8 => Backends::StoreAndLocks,
            _ => Backends::LocksAlone,
        });
        let machine_count = simulation.machines.unwrap_or_else(|| 3 + chance.index(3));
        let parts = simulation.parts.clone().unwrap_or_else(|| {
            let versions = [0, 1].map(|version| Service { seed, version }.jobs());
            // Each start of a process may be of either version, as in a deployment that is rolled out and back.
            Arc::new(move |builder| {
                let is_newer = random::fraction() < NEWER;
                builder.jobs(versions[usize::from(is_newer)].clone())
            })
        });
        let epoch: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().expect("an instant");
        let time = VirtualTime::begin(epoch + chance.millis(0..60_000));
        let clock = MachineClock::right(time);
        let jobs = jobs(&parts, &clock)?;
        #[cfg(not(test))]
        let program = Program::Scheduler(parts);
        #[cfg(test)]
        let program = simulation.other.clone().map_or(Program::Scheduler(parts), Program::Other);
        let trace = Trace::new(time, simulation.in_words);
        let effects = Effects::new(clock.clone(), trace.clone());
        let executor = Executor::seeded(chance.below(u64::MAX));
        let transit = executor.group();
        let network = Network::new(transit.clone(), trace.clone(), chance.fork(), machine_count);
        let is_shared = backends != Backends::LocksAlone;
        let store = is_shared.then(|| {
            let store = MemoryStore::new().with_clock(Arc::new(clock.clone())).with_history_limit(usize::MAX);
            store.declared_shared().declared_server_clock()
        });
        let locks = (backends != Backends::Store).then(|| {
            // In front of a store its clock does not matter; where it is the claim, it is the time.
            let own = if is_shared { chaos::clock(chance, time) } else { clock.clone() };
            MemoryLocks::new().with_clock(Arc::new(own))
        });
        let site = Arc::new(Site {
            executor: executor.clone(),
            network: network.clone(),
            effects: effects.clone(),
            trace: trace.clone(),
            program,
            store: store.clone(),
            locks: locks.clone(),
            deciding: simulation.deciding.clone(),
            wrap_locks: Arc::clone(&simulation.wrap_locks),
            first_seen: Mutex::default(),
        });
        let supervisors = executor.group();
        let machines = (0..machine_count)
            .map(|number| {
                let (machine, supervision) = Machine::boot(&site, number, chaos::clock(chance, time));
                supervisors.spawn(supervision);
                machine
            })
            .collect();
        let mut weights = match backends {
            Backends::LocksAlone => Weights::locks_alone(),
            _ => Weights::shared(locks.is_some()),
        };
        weights.0.retain(|(kind, _)| !simulation.without.contains(kind));
        let count = simulation.faults.unwrap_or_else(|| 20 + chance.index(20));
        let faults = fault::plan(chance, &weights, count, simulation.span, machine_count);
        let chaos = Chaos { machines, network, locks, trace: trace.clone(), group: executor.group() };
        Ok(Self {
            seed,
            backends,
            span: simulation.span,
            faults,
            jobs,
            clock,
            store,
            effects,
            trace,
            chaos,
            accepted: Arc::default(),
            requests: executor.group(),
            executor,
            supervisors,
            transit,
            site,
        })
    }

    async fn live(self, mut chance: Chance) -> Report {
        let operator = Operator {
            machines: self.chaos.machines.clone(),
            jobs: self.jobs.keys().cloned().collect(),
            clock: self.clock.clone(),
            is_shared: self.store.is_some(),
            trace: self.trace.clone(),
            group: self.requests.clone(),
            accepted: Arc::clone(&self.accepted),
        };
        let operator = self.requests.spawn(operator.work(chance.fork()));
        let mut observer = Observer::default();
        let mut faults = self.faults.iter().peekable();
        let end = self.span + Simulation::QUIET;
        let mut next_reading = READING;
        loop {
            let next_fault = faults.peek().map_or(end, |fault| fault.at);
            let next = next_fault.min(next_reading).min(end);
            tokio::time::sleep(next.saturating_sub(self.clock.uptime())).await;
            let now = self.clock.uptime();
            while let Some(fault) = faults.next_if(|fault| fault.at <= now) {
                self.chaos.strike(*fault);
            }
            if now >= next_reading {
                next_reading += READING;
                self.read(&mut observer).await;
            }
            if now >= self.span {
                operator.abort();
            }
            if now >= end {
                break;
            }
        }
        self.read(&mut observer).await;
        let lives: Vec<Life> = self.chaos.machines.iter().flat_map(Machine::lives).collect();
        let stores: Vec<&MemoryStore> = match &self.store {
            Some(store) => vec![store],
            None => lives.iter().filter_map(|life| life.own_store.as_ref()).collect(),
        };
        let mut histories = Vec::new();
        for store in stores {
            histories.push(rows(store).await);
        }
        let report = self.judge(observer.violations, &lives, &histories);
        self.end();
        report
    }

    /// Reads all rows, and notes what became of those read before.
    async fn read(&self, observer: &mut Observer) {
        let Some(store) = &self.store else { return };
        let rows = rows(store).await;
        observer.violations.extend(check_change(&observer.rows, &rows));
        observer.rows = rows;
    }

    fn judge(&self, mut violations: Vec<Violation>, lives: &[Life], histories: &[Vec<Execution>]) -> Report {
        let now = self.clock.now();
        let (effects, zombies) = self.effects.take();
        violations.extend(zombies);
        let case = Case { rows: &[], effects: &effects, lives, jobs: &self.jobs, now, is_shared: self.store.is_some() };
        violations.extend(case.starts());
        let first_seen = self.site.first_seen();
        // Where each process has its own store, each has its own clock, too.
        let shared = self.store.is_some().then(|| first_seen.values().min().copied().unwrap_or(now));
        let began = shared.unwrap_or_else(|| self.clock.began());
        let occurrences = case.expected(began);
        if self.store.is_some() {
            let rows = &histories[0];
            let jobs: Vec<LedgerJob> = self
                .jobs
                .values()
                .map(|settings| LedgerJob {
                    settings: Arc::clone(settings),
                    after: first_seen.get(&settings.id).copied().unwrap_or(now),
                    // What jitter still holds back is not decided yet; it is each instance's own only where nothing is owed.
                    until: settings.due_until(now - DECIDED, InstanceId(uuid::Uuid::nil())),
                })
                .collect();
            violations.extend(check_ledger(&jobs, rows));
            let case = Case { rows, ..case };
            violations.extend(case.outcomes());
            violations.extend(case.stuck());
            violations.extend(case.accepted(&self.accepted.lock().unwrap_or_else(PoisonError::into_inner)));
        } else {
            for (life, rows) in lives.iter().zip(histories) {
                let own: Vec<_> = effects.iter().filter(|effect| effect.instance == life.instance).cloned().collect();
                violations.extend(Case { rows, effects: &own, ..case }.outcomes());
            }
        }
        let executions = histories.concat();
        for row in &executions {
            self.trace.note((row.id, &row.job_id, &row.occurrence, row.attempt, row.status, row.reason));
            self.trace.note((row.fence, row.instance, row.created_at, row.started_at, row.finished_at, &row.message));
        }
        Report {
            seed: self.seed,
            machines: self.chaos.machines.len(),
            backends: self.backends,
            occurrences,
            faults: self.faults.iter().map(|fault| fault.kind).collect(),
            executions,
            effects,
            violations,
            hash: self.trace.hash(),
            trace: self.trace.lines(),
        }
    }

    /// Drops all that still runs: what the tasks hold holds the tasks.
    fn end(&self) {
        self.chaos.machines.iter().filter_map(Machine::process).for_each(|process| process.crash());
        for group in [&self.supervisors, &self.requests, &self.transit, &self.chaos.group] {
            group.crash();
        }
    }
}

/// Sees what becomes of rows.
#[derive(Debug, Default)]
struct Observer {
    rows: Vec<Execution>,
    violations: Vec<Violation>,
}

/// All rows, oldest first.
async fn rows(store: &MemoryStore) -> Vec<Execution> {
    let query = ExecutionQuery {
        filter: ExecutionFilter::default(),
        start: PageStart::Offset(0),
        limit: usize::MAX,
        count: false,
    };
    let mut rows = store.executions(&query).await.expect("a store in memory answers").executions;
    rows.reverse();
    rows
}

/// The jobs that the parts have.
fn jobs(parts: &Parts, clock: &MachineClock) -> Result<BTreeMap<JobId, Arc<JobSettings>>, BuildError> {
    let scheduler = parts(Scheduler::builder(MemoryStore::new()).clock(clock.clone())).build()?;
    let settings = scheduler.jobs().iter().map(|job| job.settings());
    Ok(settings.map(|settings| (settings.id.clone(), Arc::clone(settings))).collect())
}
