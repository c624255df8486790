//! Tells the store which jobs this instance has (R22).

use std::{sync::Arc, time::Duration};

use tracing::info;

use crate::{
    engine::{Engine, JobIndex, limited},
    store::{Announcement, StoreError},
};

/// How many jobs are announced in one trip.
const BATCH: usize = 5_000;

/// How long a trip may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Announces every job, at start.
pub(crate) async fn announce_all(engine: &Engine) -> Result<(), StoreError> {
    let jobs: Vec<JobIndex> = engine.jobs.iter().map(|(index, _)| index).collect();
    announce(engine, &jobs).await
}

/// Asks again for the jobs of which another revision is current: it may be gone (R22's roll-back).
pub(crate) async fn run_once(engine: &Arc<Engine>) {
    let healthy = engine.healthy_for() >= engine.jobs.longest_lease();
    let superseded: Vec<JobIndex> =
        engine.jobs.iter().filter(|(_, entry)| !entry.is_current()).map(|(index, _)| index).collect();
    if !healthy || superseded.is_empty() {
        return;
    }
    if let Err(error) = announce(engine, &superseded).await {
        engine.health.store_failed(&error);
    }
    for index in superseded {
        let entry = engine.jobs.get(index);
        if entry.is_current() {
            info!(job_id = %entry.settings().id, "no instance has the other version of this job any more: this instance starts its occurrences again");
            if let Some(owed) = entry.settings().trigger.next_after(entry.watermark()) {
                engine.undecided.note(index, owed);
            }
        }
    }
}

async fn announce(engine: &Engine, jobs: &[JobIndex]) -> Result<(), StoreError> {
    let lease = engine.jobs.longest_lease();
    for batch in jobs.chunks(BATCH) {
        let announcements: Vec<Announcement> =
            batch.iter().map(|index| announcement(engine.jobs.get(*index).settings())).collect();
        let call = engine.store.announce(engine.instance, &announcements, lease);
        let announced = limited(&*engine.clock, LIMIT, "announce jobs", call).await?;
        for (index, announced) in batch.iter().zip(&announced) {
            engine.jobs.get(*index).announced(announced);
        }
    }
    Ok(())
}

fn announcement(settings: &crate::job::JobSettings) -> Announcement {
    Announcement {
        job_id: settings.id.clone(),
        fingerprint: settings.fingerprint(),
        trigger: settings.trigger.to_string(),
        zone: settings.trigger.zone().map(|zone| zone.name().to_owned()),
        policies: settings.policies(),
        enabled: settings.enabled,
    }
}
