//! Tells the store which jobs this instance has (R22).

use std::{collections::HashMap, sync::Arc, time::Duration};

use scheduler_cron::zone_data_version;
use tracing::{info, warn};

use super::plan::{Purpose, StoredPlanner};
use crate::{
    engine::{Due, Elsewhere, Engine, JobIndex, limited},
    identity::JobId,
    job::JobSettings,
    metrics,
    store::{AnnounceRequest, Announcement, Decided, StoreError},
};

/// How many jobs are announced in one call; a store makes as many trips of it as it needs.
const BATCH: usize = 200_000;

/// How long a call may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Announces every job, at start.
pub(crate) async fn announce_all(engine: &Engine) -> Result<(), StoreError> {
    let jobs: Vec<JobIndex> = engine.jobs.iter().map(|(index, _)| index).collect();
    announce(engine, &jobs, false).await
}

/// Asks again for the jobs of which another revision is current: it may be gone (R22's roll-back).
pub(crate) async fn run_once(engine: &Arc<Engine>) {
    let healthy = engine.healthy_for() >= engine.jobs.longest_lease();
    if !healthy {
        return;
    }
    let superseded = engine.jobs.superseded();
    if superseded.is_empty() {
        return;
    }
    if let Err(error) = announce(engine, &superseded, true).await {
        engine.health.store_failed(&error);
    }
    for index in superseded {
        let entry = engine.jobs.get(index);
        if entry.is_current() {
            info!(job_id = %entry.settings().id, "no instance has the other version of this job any more: this instance starts its occurrences again");
            if let Some(owed) = entry.settings().trigger.next_after(entry.watermark()) {
                engine.undecided.note(engine.due(index, owed));
            }
        }
    }
}

async fn announce(engine: &Engine, jobs: &[JobIndex], may_roll_back: bool) -> Result<(), StoreError> {
    let lease = engine.jobs.longest_lease();
    for batch in jobs.chunks(BATCH) {
        let jobs = batch.iter().map(|index| announcement(engine.jobs.get(*index).settings())).collect();
        let request = AnnounceRequest { instance: engine.instance, jobs, lease, may_roll_back };
        let elsewhere = decided_elsewhere(engine, batch).await?;
        let planner = StoredPlanner { purpose: Purpose::Switch, instance: engine.instance, own: None, elsewhere };
        let call = engine.store.announce(&request, &planner);
        let announced = limited(&*engine.clock, LIMIT, "announce jobs", call).await?;
        for (index, announced) in batch.iter().zip(&announced) {
            let entry = engine.jobs.get(*index);
            entry.announced(announced);
            if let Some(decided) = &announced.decided {
                tell(&entry.settings().id, decided);
            }
        }
    }
    Ok(())
}

/// What other instances have decided of the jobs whose revision this one is about to switch, where the lock backend is
/// the claim (R15). Asked of those alone: the answer makes what lies above it this instance's.
async fn decided_elsewhere(engine: &Engine, jobs: &[JobIndex]) -> Result<HashMap<JobId, Elsewhere>, StoreError> {
    let mut elsewhere = HashMap::new();
    if engine.claiming_locks().is_none() {
        return Ok(elsewhere);
    }
    for index in jobs {
        let settings = engine.jobs.get(*index).settings();
        let revisions = limited(&*engine.clock, LIMIT, "read revisions", engine.store.revisions(&settings.id)).await?;
        if revisions.first().is_none_or(|current| *current.fingerprint == settings.fingerprint()) {
            continue;
        }
        // What jitter still holds back is the old revision's as well, and waits for its time.
        let at_its_instant = |at| Due::at_its_instant(*index, at);
        match engine.decided_elsewhere(*index, engine.now(), at_its_instant).await {
            Ok(found) => drop(elsewhere.insert(settings.id.clone(), found)),
            Err(error) => {
                let operation = "ask the lock backend what other instances have decided";
                return Err(StoreError::Unavailable { operation, source: error.into() });
            }
        }
    }
    Ok(elsewhere)
}

/// Says what a job owed when its revision was switched.
fn tell(job_id: &JobId, decided: &Decided) {
    metrics::decided(job_id, decided);
    info!(%job_id, "another version of this job is the current one from now on");
    if decided.missed > 0 {
        warn!(%job_id, missed = decided.missed, up_to = %decided.watermark, "occurrences of the version before were not started in time: they are recorded as missed");
    }
    if decided.waiting + decided.caught_up > 0 {
        let waiting = decided.waiting + decided.caught_up;
        info!(%job_id, waiting, "occurrences of the version before wait to be taken");
    }
}

fn announcement(settings: &JobSettings) -> Announcement {
    let zone = settings.trigger.zone();
    Announcement {
        job_id: settings.id.clone(),
        fingerprint: settings.fingerprint(),
        trigger: settings.trigger.to_string(),
        zone: zone.map(|zone| zone.name().to_owned()),
        zone_data: zone.map(|_| zone_data_version().to_owned()),
        policies: settings.policies(),
        enabled: settings.enabled,
    }
}
