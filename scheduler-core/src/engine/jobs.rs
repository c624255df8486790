//! The jobs of this instance, by index.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};

use tracing::warn;

use crate::{
    identity::{JobId, RevisionId},
    job::{Job, JobSettings, OverlapPolicy},
    store::Announced,
};

/// A job's place in the table.
pub(crate) type JobIndex = u32;

/// The jobs of this instance.
#[derive(Debug)]
pub(crate) struct JobTable {
    entries: Vec<JobEntry>,
    by_id: HashMap<JobId, JobIndex>,
    /// Those whose run makes way for the next (R17).
    yielding: Vec<JobIndex>,
    shortest_lease: Duration,
    longest_lease: Duration,
    /// Whether another revision of some job is current, so that a look need not go through all of them to find none.
    some_superseded: Arc<AtomicBool>,
}

/// A job, and what the store said of it.
#[derive(Debug)]
pub(crate) struct JobEntry {
    pub(crate) job: Job,
    /// Whether another job of this instance runs after this one (R24).
    pub(crate) has_dependants: bool,
    revision: AtomicI64,
    current: AtomicBool,
    watermark: AtomicI64,
    /// Whether it was said that another revision is current.
    superseded_is_told: AtomicBool,
    some_superseded: Arc<AtomicBool>,
}

impl JobTable {
    pub(crate) fn new(jobs: Vec<Job>) -> Self {
        let by_id = jobs
            .iter()
            .enumerate()
            .map(|(index, job)| (job.settings().id.clone(), JobIndex::try_from(index).expect("fewer than 2^32 jobs")))
            .collect();
        let upstreams: HashSet<String> =
            jobs.iter().flat_map(|job| job.settings().upstreams().map(str::to_owned)).collect();
        let makes_way = |job: &Job| job.settings().overlap == OverlapPolicy::CancelRunning;
        let yielding = (0..).zip(&jobs).filter(|(_, job)| makes_way(job)).map(|(index, _)| index).collect();
        let leases = || jobs.iter().map(|job| job.settings().lease_ttl);
        let shortest_lease = leases().min().unwrap_or(JobSettings::DEFAULT_LEASE);
        let longest_lease = leases().max().unwrap_or(JobSettings::DEFAULT_LEASE);
        let some_superseded = Arc::new(AtomicBool::new(false));
        let entries = jobs
            .into_iter()
            .map(|job| JobEntry {
                has_dependants: upstreams.contains(job.settings().id.as_str()),
                job,
                revision: AtomicI64::new(0),
                current: AtomicBool::new(false),
                watermark: AtomicI64::new(i64::MAX),
                superseded_is_told: AtomicBool::new(false),
                some_superseded: Arc::clone(&some_superseded),
            })
            .collect();
        Self { entries, by_id, yielding, shortest_lease, longest_lease, some_superseded }
    }

    pub(crate) fn get(&self, index: JobIndex) -> &JobEntry {
        &self.entries[index as usize]
    }

    pub(crate) fn find(&self, id: &JobId) -> Option<JobIndex> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (JobIndex, &JobEntry)> {
        (0..).zip(&self.entries)
    }

    /// The jobs of which a run makes way for the next, as far as this instance decides for them.
    pub(crate) fn yielding(&self) -> impl Iterator<Item = JobId> {
        self.yielding
            .iter()
            .map(|job| self.get(*job))
            .filter(|job| job.is_current())
            .map(|job| job.settings().id.clone())
    }

    /// The shortest lease of any job: what heartbeat and renewals keep pace with (R3).
    pub(crate) const fn shortest_lease(&self) -> Duration {
        self.shortest_lease
    }

    /// The longest lease of any job (R6).
    pub(crate) const fn longest_lease(&self) -> Duration {
        self.longest_lease
    }

    /// The jobs of which another revision is current.
    pub(crate) fn superseded(&self) -> Vec<JobIndex> {
        if !self.some_superseded.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        let superseded: Vec<JobIndex> =
            self.iter().filter(|(_, entry)| !entry.is_current()).map(|(index, _)| index).collect();
        self.some_superseded.fetch_or(!superseded.is_empty(), Ordering::AcqRel);
        superseded
    }
}

impl JobEntry {
    pub(crate) fn settings(&self) -> &JobSettings {
        self.job.settings()
    }

    /// Notes what the store answered to the job's announcement.
    pub(crate) fn announced(&self, announced: &Announced) {
        self.revision.store(announced.state.revision.0, Ordering::Relaxed);
        self.watermark.store(announced.state.watermark.timestamp_millis(), Ordering::Relaxed);
        if announced.current {
            self.superseded_is_told.store(false, Ordering::Relaxed);
            self.current.store(true, Ordering::Release);
        } else {
            self.supersede();
        }
    }

    pub(crate) fn revision(&self) -> RevisionId {
        RevisionId(self.revision.load(Ordering::Relaxed))
    }

    /// Whether this instance has the job's current revision, and so may claim.
    pub(crate) fn is_current(&self) -> bool {
        self.current.load(Ordering::Acquire)
    }

    /// Notes that another revision is current, and says so once.
    pub(crate) fn supersede(&self) {
        self.current.store(false, Ordering::Release);
        self.some_superseded.store(true, Ordering::Release);
        if !self.superseded_is_told.swap(true, Ordering::Relaxed) {
            warn!(job_id = %self.settings().id, "another version of the service has replaced this job: this instance starts none of its occurrences");
        }
    }

    /// Whether this instance starts the schedule's occurrences.
    pub(crate) fn is_scheduled(&self) -> bool {
        self.settings().enabled && self.is_current()
    }

    /// The last known watermark.
    pub(crate) fn watermark(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.watermark.load(Ordering::Relaxed)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    pub(crate) fn move_watermark(&self, watermark: DateTime<Utc>) {
        self.watermark.store(watermark.timestamp_millis(), Ordering::Relaxed);
    }
}
