//! The zones in which pages show instants.

use std::collections::BTreeMap;

use scheduler_core::{SchedulerHandle, identity::JobId};
use scheduler_cron::NamedZone;

/// The zone that most of the jobs have whose trigger follows one; UTC where none does.
pub(super) fn home(handle: &SchedulerHandle) -> NamedZone {
    let mut zones = BTreeMap::<&str, (usize, NamedZone)>::new();
    for zone in handle.definitions().iter().filter_map(|job| job.settings().trigger.zone()) {
        zones.entry(zone.name()).or_insert((0, zone)).0 += 1;
    }
    // Of several with as many the first by name, so that it is the same on every instance.
    let most = zones.into_values().rev().max_by_key(|(jobs, _)| *jobs);
    most.map_or(NamedZone::UTC, |(_, zone)| zone)
}

/// The zone in which a job's instants are shown: that of its trigger, or the one that most jobs have.
pub(super) fn of(handle: &SchedulerHandle, job_id: &JobId) -> NamedZone {
    let own = handle.definition(job_id).and_then(|job| job.settings().trigger.zone());
    own.unwrap_or_else(|| home(handle))
}
