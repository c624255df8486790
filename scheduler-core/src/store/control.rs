//! Jobs and instances as the store knows them.

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use scheduler_cron::Trigger;
use serde_json::Value;

use super::{Decided, Planner, StoreError};
use crate::identity::{InstanceId, JobId, RevisionId};

/// Which jobs there are and who serves them.
#[async_trait]
pub trait ControlStore: Debug + Send + Sync + 'static {
    /// Tells the store which jobs this instance has; answers are in the order of the announcements.
    ///
    /// A job seen for the first time gets its state, its watermark at the store's now. A fingerprint that no revision
    /// of the job ever had becomes the current revision; one that an older revision had is superseded (R22), unless it
    /// may come back and no instance with a heartbeat within the lease announces the current one.
    ///
    /// The switch locks the job's state, and what is owed then is decided first by the planner, which sees the revision
    /// that was current. Disabled time is never owed: a job that is enabled again has its watermark at now. Safe when
    /// instances announce at once.
    async fn announce(&self, request: &AnnounceRequest, planner: &dyn Planner) -> Result<Vec<Announced>, StoreError>;

    /// Notes that the instance lives, and answers the store's clock.
    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<DateTime<Utc>, StoreError>;

    /// Takes the instance off the list, with what it announced; what waits for it alone becomes `cancelled` (R26).
    async fn leave(&self, instance: InstanceId) -> Result<(), StoreError>;

    /// The states of all jobs named that the store knows, in one trip.
    async fn states(&self, jobs: &[JobId]) -> Result<Vec<JobState>, StoreError>;

    /// The revisions that a job has had, the current one first; none of a job that was never announced.
    async fn revisions(&self, job_id: &JobId) -> Result<Vec<Arc<JobRevision>>, StoreError>;

    /// The jobs that no instance with a heartbeat within `lease` announces, in whatever revision (R22), by id: nobody
    /// starts what they owe.
    async fn orphaned(&self, lease: Duration) -> Result<Vec<JobState>, StoreError>;

    /// Jobs whose pause had an end that has come (R23), at most `limit`: the next pass over each of them ends it.
    async fn pauses_over(&self, limit: usize) -> Result<Vec<JobId>, StoreError>;

    /// The instances on the list, newest heartbeat first.
    async fn instances(&self) -> Result<Vec<InstanceRecord>, StoreError>;
}

/// What an instance tells of its jobs.
#[derive(Debug, Clone)]
pub struct AnnounceRequest {
    /// The instance.
    pub instance: InstanceId,
    /// Its jobs.
    pub jobs: Vec<Announcement>,
    /// For how long a heartbeat shows that an instance lives.
    pub lease: Duration,
    /// Whether an older revision may become the current one again: only of an instance that was healthy for one whole
    /// lease, as another's silence may be the store's.
    pub may_roll_back: bool,
}

/// A job as an instance has it.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// The job.
    pub job_id: JobId,
    /// The hash of trigger, policies and `enabled`; what makes two revisions differ.
    pub fingerprint: String,
    /// The trigger as text, from which it can be read again.
    pub trigger: String,
    /// The time zone's name, if the trigger has one.
    pub zone: Option<String>,
    /// The version of the zone data by which the instance knows the zone; no part of the fingerprint.
    pub zone_data: Option<String>,
    /// The policies, for people and for later revisions.
    pub policies: Value,
    /// Whether the schedule runs.
    pub enabled: bool,
}

impl Announcement {
    /// The jobs that this one runs after (R24), as its trigger's text says.
    #[must_use]
    pub fn upstreams(&self) -> Vec<JobId> {
        // Of 100,000 jobs nearly all have a schedule of their own, whose text need not be read for this.
        match self.trigger.starts_with("after ").then(|| self.trigger.parse()) {
            Some(Ok(Trigger::After(jobs))) => jobs.iter().map(|job| JobId::from_stored(job.as_ref())).collect(),
            _ => Vec::new(),
        }
    }
}

/// A revision of a job, as the store keeps it (R22). Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRevision {
    /// Its number.
    pub id: RevisionId,
    /// The hash of trigger, policies and `enabled`.
    pub fingerprint: Arc<str>,
    /// The trigger as text.
    pub trigger: Arc<str>,
    /// The time zone's name, if the trigger has one.
    pub zone: Option<Arc<str>>,
    /// The version of the zone data of the instance that made it the current one.
    pub zone_data: Option<Arc<str>>,
    /// The policies.
    pub policies: Arc<Value>,
    /// Whether the schedule ran.
    pub enabled: bool,
    /// From when on it was the current one, by the store's clock.
    pub valid_from: DateTime<Utc>,
    /// Until when; `None` for the current one.
    pub valid_to: Option<DateTime<Utc>>,
}

/// What an announcement came to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Announced {
    /// The job's state.
    pub state: JobState,
    /// Whether the announced revision is the current one; if not, the instance claims nothing of the job.
    pub current: bool,
    /// What was owed when the job's revision was switched, if it was, and how that was decided.
    pub decided: Option<Box<Decided>>,
}

impl Announced {
    /// The answer to one announcement.
    #[must_use]
    pub const fn new(state: JobState, current: bool) -> Self {
        Self { state, current, decided: None }
    }
}

/// A job's state.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JobState {
    /// The job.
    pub job_id: JobId,
    /// The current revision.
    pub revision: RevisionId,
    /// Whether the current revision's schedule runs.
    pub enabled: bool,
    /// The instant up to which every occurrence is decided.
    pub watermark: DateTime<Utc>,
    /// The pause, while the job is paused.
    pub pause: Option<Pause>,
    /// The instant below which rows may have been pruned (R21).
    pub prune_horizon: Option<DateTime<Utc>>,
}

impl JobState {
    /// The state of a job that is not paused.
    #[must_use]
    pub const fn new(job_id: JobId, revision: RevisionId, enabled: bool, watermark: DateTime<Utc>) -> Self {
        Self { job_id, revision, enabled, watermark, pause: None, prune_horizon: None }
    }
}

/// Why, since when and until when a job is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// When it was paused.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When the pause ends by itself.
    pub until: Option<DateTime<Utc>>,
}

/// An instance's sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The instance.
    pub instance: InstanceId,
    /// Its host's name, for display.
    pub host: String,
    /// Its process, for display.
    pub pid: u32,
    /// The service's version, for display.
    pub version: String,
    /// How far the instance's clock is ahead of the store's, in milliseconds, as last sampled.
    pub clock_offset_ms: i64,
}

/// An instance as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRecord {
    /// Its last heartbeat's content.
    pub heartbeat: Heartbeat,
    /// When the instance was first seen, by the store's clock.
    pub started_at: DateTime<Utc>,
    /// When the last heartbeat came, by the store's clock.
    pub seen_at: DateTime<Utc>,
}
