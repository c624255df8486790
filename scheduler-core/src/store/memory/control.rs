//! Jobs and instances (R22).

use std::{cmp::Reverse, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    finish::end_now,
    job::JobRecord,
    state::{State, later},
};
use crate::{
    identity::{ExecutionId, InstanceId, JobId, RevisionId},
    status::{Reason, Status},
    store::{
        AnnounceRequest, Announced, Announcement, Heartbeat, InstanceRecord, JobRevision, JobState, Planner, StoreError,
    },
};

/// Policies that several revisions have: most jobs' are those that nobody set.
#[derive(Debug, Default)]
pub(super) struct SharedPolicies(Vec<Arc<Value>>);

impl SharedPolicies {
    /// How many are compared with; beyond it the first ones are forgotten.
    const COMPARED: usize = 8;

    fn get(&mut self, policies: &Value) -> Arc<Value> {
        if let Some(known) = self.0.iter().find(|known| ***known == *policies) {
            return Arc::clone(known);
        }
        if self.0.len() == Self::COMPARED {
            self.0.remove(0);
        }
        let new = Arc::new(policies.clone());
        self.0.push(Arc::clone(&new));
        new
    }
}

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
        request: &AnnounceRequest,
        planner: &dyn Planner,
        now: DateTime<Utc>,
    ) -> Result<Vec<Announced>, StoreError> {
        self.see(request.instance, now);
        request.jobs.iter().map(|job| self.announce_one(request, job, planner, now)).collect()
    }

    fn announce_one(
        &mut self,
        request: &AnnounceRequest,
        announcement: &Announcement,
        planner: &dyn Planner,
        now: DateTime<Utc>,
    ) -> Result<Announced, StoreError> {
        if !self.jobs.contains_key(&announcement.job_id) {
            let revision = self.new_revision(announcement, now);
            let state = JobState::new(announcement.job_id.clone(), revision.id, announcement.enabled, now);
            self.jobs.insert(announcement.job_id.clone(), JobRecord::new(state, revision));
            self.note_upstreams(announcement);
        }
        let job = &self.jobs[&announcement.job_id];
        let known = job.revisions.iter().rfind(|revision| *revision.fingerprint == *announcement.fingerprint);
        let known = known.map(|known| known.id);
        let current = job.state.revision;
        let stays = |known| {
            known == current || !request.may_roll_back || self.is_served(job, request.instance, request.lease, now)
        };
        let (announced, decided) = match known.filter(|known| stays(*known)) {
            Some(known) => (known, None),
            None => {
                let decided = self.decide_owed(&announcement.job_id, planner, now)?;
                (self.switch(announcement, now), Some(Box::new(decided)))
            }
        };
        let job = self.jobs.get_mut(&announcement.job_id).expect("it was looked at above");
        job.announcers.retain(|(other, _)| *other != request.instance && self.instances.contains_key(other));
        job.announcers.push((request.instance, announced));
        let current = announced == job.state.revision;
        Ok(Announced { decided, ..Announced::new(job.state.clone(), current) })
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
        let revision = self.new_revision(announcement, now);
        let id = revision.id;
        let job = self.jobs.get_mut(&announcement.job_id).expect("it was looked at above");
        if let Some(old) = job.revisions.last_mut() {
            Arc::make_mut(old).valid_to = Some(now);
        }
        job.revisions.push(revision);
        if announcement.enabled && !job.state.enabled {
            // Disabled time is never owed (R23).
            job.move_watermark(now);
        }
        job.state.revision = id;
        job.state.enabled = announcement.enabled;
        self.note_upstreams(announcement);
        id
    }

    /// A revision that is the current one from now on.
    fn new_revision(&mut self, announcement: &Announcement, now: DateTime<Utc>) -> Arc<JobRevision> {
        Arc::new(JobRevision {
            id: self.next_revision(),
            fingerprint: announcement.fingerprint.as_str().into(),
            trigger: announcement.trigger.as_str().into(),
            zone: announcement.zone.as_deref().map(Into::into),
            zone_data: announcement.zone_data.as_deref().map(Into::into),
            policies: self.shared.get(&announcement.policies),
            enabled: announcement.enabled,
            valid_from: now,
            valid_to: None,
        })
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

    pub(super) fn leave(&mut self, instance: InstanceId, now: DateTime<Utc>) {
        self.instances.remove(&instance);
        for job in self.jobs.values_mut() {
            job.announcers.retain(|(other, _)| *other != instance);
        }
        self.cancel_waiting_for(|only| only == instance, Reason::Shutdown, now);
    }

    /// Whether something was heard of an instance within so much time.
    pub(super) fn is_heard(&self, instance: InstanceId, within: Duration, now: DateTime<Utc>) -> bool {
        self.instances.get(&instance).is_some_and(|instance| later(instance.seen_at, within) >= now)
    }

    /// Ends what waits for one instance alone, where it is one of these (R26).
    pub(super) fn cancel_waiting_for(
        &mut self,
        is_gone: impl Fn(InstanceId) -> bool,
        reason: Reason,
        now: DateTime<Utc>,
    ) {
        let jobs = self.waiting.iter().filter_map(|job_id| self.jobs.get(job_id));
        let rows = jobs.flat_map(|job| &job.pending).map(|(_, id)| *id);
        let waits_in_vain =
            |id: &ExecutionId| self.execution(*id).and_then(|row| row.for_instance).is_some_and(&is_gone);
        let in_vain: Vec<ExecutionId> = rows.filter(waits_in_vain).collect();
        for id in in_vain {
            self.change(id, |row| {
                row.status = Status::Cancelled;
                row.reason = Some(reason);
                row.queued = false;
                end_now(row, now);
            });
            self.follow_up(id, now);
        }
    }

    pub(super) fn job_states(&self, jobs: &[JobId]) -> Vec<JobState> {
        jobs.iter().filter_map(|job_id| self.jobs.get(job_id)).map(|job| job.state.clone()).collect()
    }

    pub(super) fn revisions(&self, job_id: &JobId) -> Vec<Arc<JobRevision>> {
        self.jobs.get(job_id).map_or_else(Vec::new, |job| job.revisions.iter().rev().cloned().collect())
    }

    pub(super) fn orphaned(&self, lease: Duration, now: DateTime<Utc>) -> Vec<JobState> {
        let lives = |id: &InstanceId| self.instances.get(id).is_some_and(|instance| instance.seen_at + lease > now);
        let is_served = |job: &JobRecord| job.announcers.iter().any(|(instance, _)| lives(instance));
        let orphaned = self.jobs.values().filter(|job| !is_served(job)).map(|job| job.state.clone());
        let mut orphaned: Vec<_> = orphaned.collect();
        orphaned.sort_by(|one, other| one.job_id.cmp(&other.job_id));
        orphaned
    }

    pub(super) fn pauses_over(&self, limit: usize, now: DateTime<Utc>) -> Vec<JobId> {
        let is_over =
            |job: &&JobRecord| job.state.pause.as_ref().and_then(|pause| pause.until).is_some_and(|until| until <= now);
        self.jobs.values().filter(is_over).map(|job| job.state.job_id.clone()).take(limit).collect()
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
