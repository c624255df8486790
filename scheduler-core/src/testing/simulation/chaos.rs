//! Brings faults about, and mends them.

use std::time::Duration;

use super::{
    fault::{Fault, FaultKind},
    machine::Machine,
    network::{Backend, Network, Way},
    time::MachineClock,
    trace::Trace,
};
use crate::{lock::memory::MemoryLocks, testing::executor::Group};

/// How long a process that is told to stop lets its bodies run at most.
const DRAIN: Duration = Duration::from_secs(2);

/// What faults are brought about on.
#[derive(Debug, Clone)]
pub(crate) struct Chaos {
    pub(crate) machines: Vec<Machine>,
    pub(crate) network: Network,
    pub(crate) locks: Option<MemoryLocks>,
    pub(crate) trace: Trace,
    /// The tasks that mend what does not last.
    pub(crate) group: Group,
}

impl Chaos {
    /// Brings a fault about, and sees that it ends in its time.
    pub(crate) fn strike(&self, fault: Fault) {
        self.trace.note(fault);
        let machine = &self.machines[fault.machine];
        match fault.kind {
            FaultKind::Crash => machine.crash(fault.lasting),
            FaultKind::CrashAll => self.machines.iter().for_each(|machine| machine.crash(fault.lasting)),
            FaultKind::Stop => machine.stop(DRAIN, fault.lasting),
            FaultKind::StepClock => machine.clock().step(fault.step),
            FaultKind::DriftClock => machine.clock().set_rate(fault.rate),
            FaultKind::DropConnections => self.network.drop_connections(Backend::Store),
            FaultKind::LocksForget => {
                self.network.drop_connections(Backend::Locks);
                self.locks.iter().for_each(MemoryLocks::forget);
            }
            FaultKind::Pause | FaultKind::BlockService | FaultKind::StallEngine => self.freeze(fault),
            FaultKind::CutStore | FaultKind::CutLocks | FaultKind::LoseReplies | FaultKind::Slow => self.hamper(fault),
            FaultKind::StoreAway => self.take_down(Backend::Store, fault),
            FaultKind::LocksAway => self.take_down(Backend::Locks, fault),
        }
    }

    fn freeze(&self, fault: Fault) {
        let Some(process) = self.machines[fault.machine].process() else { return };
        let engine = (fault.kind != FaultKind::BlockService).then_some(process.engine);
        let service = (fault.kind != FaultKind::StallEngine).then_some(process.service);
        let groups: Vec<Group> = engine.into_iter().chain(service).collect();
        groups.iter().for_each(Group::freeze);
        self.after(fault, move |_| groups.iter().for_each(Group::thaw));
    }

    fn hamper(&self, fault: Fault) {
        let Fault { kind, machine, .. } = fault;
        let backend = match kind {
            FaultKind::CutStore => Backend::Store,
            FaultKind::CutLocks => Backend::Locks,
            _ => fault.backend,
        };
        let set = move |network: &Network, is_on: bool| match kind {
            FaultKind::LoseReplies => network.set_losing_replies(machine, backend, is_on),
            FaultKind::Slow => {
                network.set_slow(machine, backend, if is_on { fault.lasting / 8 } else { Duration::ZERO })
            }
            _ => network.set_way(machine, backend, if is_on { fault.way } else { Way::Open }),
        };
        set(&self.network, true);
        self.after(fault, move |chaos| set(&chaos.network, false));
    }

    fn take_down(&self, backend: Backend, fault: Fault) {
        self.network.set_up(backend, false);
        self.after(fault, move |chaos| chaos.network.set_up(backend, true));
    }

    fn after(&self, fault: Fault, mend: impl FnOnce(&Self) + Send + 'static) {
        let chaos = self.clone();
        self.group.spawn(async move {
            tokio::time::sleep(fault.lasting).await;
            chaos.trace.note(("is mended", fault.kind, fault.machine));
            mend(&chaos);
        });
    }
}

/// Draws the clock of a machine: off by little or much, and no two at quite the same rate.
pub(crate) fn clock(chance: &mut crate::testing::chance::Chance, time: super::time::VirtualTime) -> MachineClock {
    /// What quartz is off by; more would be a broken machine, against which a lease's end by one's own clock is no help.
    const QUARTZ: i64 = 100;
    let bound = *chance.pick(&[50, 1_000, 30_000, 3_600_000]);
    let off = chrono::TimeDelta::milliseconds(chance.around_zero(bound));
    MachineClock::new(time, off, chance.around_zero(QUARTZ), chance.millis(0..1_000_000_000))
}
