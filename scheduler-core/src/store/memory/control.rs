//! Jobs and instances (R22).

use std::{cmp::Reverse, time::Duration};

use chrono::{DateTime, Utc};

use super::{
    job::{JobRecord, Revision},
    state::State,
};
use crate::{
    identity::{InstanceId, JobId, RevisionId},
    store::{Announced, Announcement, Heartbeat, InstanceRecord, JobState},
};

/// An instance; one that has only announced jobs so far has no heartbeat.
#[derive(Debug)]
pub(super) struct Instance {
    heartbeat: Option<Heartbeat>,
    started_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
}

impl State {
    pub(super) fn announce(
        &mut self,
        instance: InstanceId,
        announcement: &Announcement,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Announced {
        self.see(instance, now);
        let fingerprint = &*announcement.fingerprint;
        if !self.jobs.contains_key(&announcement.job_id) {
            let revision = self.next_revision();
            let state = JobState::new(announcement.job_id.clone(), revision, announcement.enabled, now);
            let mut job = JobRecord::new(state);
            job.revisions.push(Revision { id: revision, fingerprint: fingerprint.into() });
            self.jobs.insert(announcement.job_id.clone(), job);
        }
        let job = &self.jobs[&announcement.job_id];
        let known = job.revisions.iter().rfind(|revision| &*revision.fingerprint == fingerprint).map(|known| known.id);
        let current = job.state.revision;
        let announced = match known {
            Some(known) if known == current || self.is_served(job, instance, lease, now) => known,
            _ => self.switch(announcement, now),
        };
        let job = self.jobs.get_mut(&announcement.job_id).expect("it was looked at above");
        job.announcers.retain(|(other, _)| *other != instance && self.instances.contains_key(other));
        job.announcers.push((instance, announced));
        Announced::new(job.state.clone(), announced == job.state.revision)
    }

    /// Whether another instance that lives announces the current revision.
    fn is_served(&self, job: &JobRecord, but: InstanceId, lease: Duration, now: DateTime<Utc>) -> bool {
        let lives =
            |instance: &InstanceId| self.instances.get(instance).is_some_and(|found| found.seen_at + lease > now);
        job.announcers
            .iter()
            .any(|(instance, revision)| *instance != but && *revision == job.state.revision && lives(instance))
    }

    /// Makes what is announced the current revision.
    fn switch(&mut self, announcement: &Announcement, now: DateTime<Utc>) -> RevisionId {
        let id = self.next_revision();
        let job = self.jobs.get_mut(&announcement.job_id).expect("it was looked at above");
        job.revisions.retain(|revision| *revision.fingerprint != *announcement.fingerprint);
        job.revisions.push(Revision { id, fingerprint: announcement.fingerprint.as_str().into() });
        if announcement.enabled && !job.state.enabled {
            // Disabled time is never owed (R23).
            job.move_watermark(now);
        }
        job.state.revision = id;
        job.state.enabled = announcement.enabled;
        id
    }

    pub(super) fn heartbeat(&mut self, heartbeat: &Heartbeat, now: DateTime<Utc>) {
        self.see(heartbeat.instance, now).heartbeat = Some(heartbeat.clone());
    }

    fn see(&mut self, instance: InstanceId, now: DateTime<Utc>) -> &mut Instance {
        let found =
            self.instances.entry(instance).or_insert(Instance { heartbeat: None, started_at: now, seen_at: now });
        found.seen_at = now;
        found
    }

    pub(super) fn leave(&mut self, instance: InstanceId) {
        self.instances.remove(&instance);
        for job in self.jobs.values_mut() {
            job.announcers.retain(|(other, _)| *other != instance);
        }
    }

    pub(super) fn job_states(&self, jobs: &[JobId]) -> Vec<JobState> {
        jobs.iter().filter_map(|job_id| self.jobs.get(job_id)).map(|job| job.state.clone()).collect()
    }

    pub(super) fn instance_records(&self) -> Vec<InstanceRecord> {
        let records = self.instances.values().filter_map(|instance| {
            let heartbeat = instance.heartbeat.clone()?;
            Some(InstanceRecord { heartbeat, started_at: instance.started_at, seen_at: instance.seen_at })
        });
        let mut records: Vec<_> = records.collect();
        records.sort_by_key(|record| Reverse(record.seen_at));
        records
    }

    #[cfg(any(test, feature = "testing"))]
    pub(super) fn set_pause(&mut self, job: &JobId, pause: Option<crate::store::Pause>) {
        if let Some(job) = self.jobs.get_mut(job) {
            job.state.pause = pause;
        }
    }
}
