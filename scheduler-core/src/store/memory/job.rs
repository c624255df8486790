//! A job, and the indexes over its rows.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::keys::Keys;
use crate::{
    identity::{ExecutionId, InstanceId, JobId, RevisionId},
    occurrence::OccurrenceKey,
    store::{JobRevision, JobState},
};

/// A job as the store has it.
#[derive(Debug)]
pub(super) struct JobRecord {
    pub(super) state: JobState,
    /// Every revision that the job ever had, oldest first.
    pub(super) revisions: Vec<Arc<JobRevision>>,
    /// Which revision each instance announced.
    pub(super) announcers: Vec<(InstanceId, RevisionId)>,
    /// The jobs that its current revision runs after.
    pub(super) upstreams: Box<[JobId]>,
    /// Its rows.
    pub(super) rows: BTreeSet<ExecutionId>,
    /// The attempts at each occurrence, first to last.
    pub(super) attempts: HashMap<OccurrenceKey, Vec<ExecutionId>>,
    /// The schedule's occurrences above the watermark that have a row, or had one that was dropped; with the start of
    /// the range, for a range row.
    pub(super) decided: BTreeMap<DateTime<Utc>, Option<DateTime<Utc>>>,
    /// The rows that hold the job's keys (R16).
    pub(super) holders: Keys,
    /// The rows that wait for them (R17).
    pub(super) queued: Keys,
    /// What waits to be taken, oldest occurrence first.
    pub(super) pending: BTreeSet<(DateTime<Utc>, ExecutionId)>,
    /// The newest row that has started.
    pub(super) latest: Option<ExecutionId>,
    /// The newest range row.
    pub(super) newest_range: Option<ExecutionId>,
}

impl JobRecord {
    pub(super) fn new(state: JobState, revision: Arc<JobRevision>) -> Self {
        Self {
            state,
            revisions: vec![revision],
            announcers: Vec::new(),
            upstreams: Box::default(),
            rows: BTreeSet::new(),
            attempts: HashMap::new(),
            decided: BTreeMap::new(),
            holders: Keys::default(),
            queued: Keys::default(),
            pending: BTreeSet::new(),
            latest: None,
            newest_range: None,
        }
    }

    /// The revision that is the current one.
    pub(super) fn current_revision(&self) -> Arc<JobRevision> {
        Arc::clone(self.revisions.last().expect("a job begins with one"))
    }

    /// Whether an occurrence of the schedule had a row of its own that was dropped.
    pub(super) fn had_row(&self, occurrence: &OccurrenceKey, scheduled_at: DateTime<Utc>) -> bool {
        occurrence.scheduled_at().is_some() && self.decided.get(&scheduled_at) == Some(&None)
    }

    /// Whether the watermark or a range row covers an occurrence.
    pub(super) fn has_passed(&self, occurrence: &OccurrenceKey, scheduled_at: DateTime<Utc>) -> bool {
        let covers = |(at, from): (&DateTime<Utc>, &Option<DateTime<Utc>>)| {
            *at == scheduled_at || from.is_some_and(|from| from <= scheduled_at)
        };
        scheduled_at <= self.state.watermark
            || (occurrence.scheduled_at().is_some() && self.decided.range(scheduled_at..).any(covers))
    }

    /// The row that holds this key, else the one that waits for it.
    pub(super) fn holder(&self, key: Option<InstanceId>) -> Option<ExecutionId> {
        self.holders.get(key).or_else(|| self.queued.get(key))
    }

    /// Whether rows may start that are neither manual nor backfilled (R2).
    pub(super) const fn is_scheduled(&self) -> bool {
        self.state.enabled && self.state.pause.is_none()
    }

    /// Moves the watermark on, never back.
    pub(super) fn move_watermark(&mut self, watermark: DateTime<Utc>) {
        if watermark > self.state.watermark {
            self.state.watermark = watermark;
            while self.decided.first_entry().is_some_and(|entry| *entry.key() <= watermark) {
                self.decided.pop_first();
            }
        }
    }

    /// Notes that an occurrence of the schedule, or a range up to it, has a row.
    pub(super) fn note_decided(&mut self, scheduled_at: DateTime<Utc>, missed_from: Option<DateTime<Utc>>) {
        if scheduled_at > self.state.watermark {
            self.decided.insert(scheduled_at, missed_from);
        }
    }
}
