//! Plans by a job's current revision as stored, for those who need not have it: to pause, to resume, to switch.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use tracing::warn;

use super::{OwedPlanner, later};
use crate::{
    engine::Elsewhere,
    identity::{InstanceId, JobId},
    job::JobSettings,
    occurrence::OccurrenceKey,
    status::{Reason, Status},
    store::{DecideView, DecisionPlan, PlannedRow, Planner},
};

/// Why a job's schedule is looked at outside R12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is about to be paused.
    Pause,
    /// Its pause is about to end.
    Resume,
    /// Another revision is about to become the current one (R22).
    Switch,
}

/// Decides what a job owes up to now. What is within its deadline waits, with origin `schedule`: nothing is claimed here.
#[derive(Debug)]
pub(crate) struct StoredPlanner {
    pub(crate) purpose: Purpose,
    pub(crate) instance: InstanceId,
    /// The definition at hand; used where it is the current revision's, as a text does not say all of a calendar.
    pub(crate) own: Option<Arc<JobSettings>>,
    /// What was decided elsewhere, where the store is not shared (R15).
    pub(crate) elsewhere: HashMap<JobId, Elsewhere>,
}

impl Planner for StoredPlanner {
    fn plan(&self, view: &DecideView) -> DecisionPlan {
        let over = view.state.pause.as_ref().and_then(|pause| pause.until).filter(|until| *until <= view.until);
        let is_paused = view.state.pause.is_some() && over.is_none();
        if is_paused && self.purpose == Purpose::Pause {
            return DecisionPlan::default();
        }
        let Some(settings) = self.settings(view) else { return self.unseen(view, over) };
        let elsewhere = self.elsewhere.get(&settings.id).cloned().unwrap_or_default();
        let claimed = Mutex::default();
        let planner = OwedPlanner { settings, instance: self.instance, elsewhere, claims: false, claimed };
        if let Some(until) = over {
            planner.end_pause(view, until)
        } else if is_paused {
            let plan = planner.skip_paused(view, view.until);
            let is_through = !view.is_cut && plan.watermark.unwrap_or(view.state.watermark) >= view.until;
            // A pause outlives the revision under which it began, and what fell in it so far is the old one's.
            DecisionPlan { ends_pause: is_through && self.purpose == Purpose::Resume, ..plan }
        } else {
            // What jitter still holds back is the old revision's, or from before the pause, by its instant: it waits as well.
            planner.decide(view, planner.until(view), |at| wait(&planner, at))
        }
    }
}

impl StoredPlanner {
    fn settings(&self, view: &DecideView) -> Option<Arc<JobSettings>> {
        let job_id = &view.state.job_id;
        let revision = view.revision.as_ref()?;
        if let Some(own) = self.own.as_ref().filter(|own| own.fingerprint() == *revision.fingerprint) {
            return Some(Arc::clone(own));
        }
        match JobSettings::from_revision(job_id, revision) {
            Ok(settings) => Some(Arc::new(settings)),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                warn!(%job_id, trigger = &*revision.trigger, error, "the stored trigger of this job can't be read any more: all that it owed is recorded as missed");
                None
            }
        }
    }

    /// What can't be recomputed, as one range whose count nobody knows.
    fn unseen(&self, view: &DecideView, pause_over: Option<DateTime<Utc>>) -> DecisionPlan {
        let millisecond = TimeDelta::milliseconds(1);
        let whole = |at: DateTime<Utc>| at.duration_trunc(millisecond).unwrap_or(at);
        let end = pause_over.map_or(view.until, |until| until - millisecond);
        let first = whole(view.state.watermark) + millisecond;
        let mut last = whole(end);
        // Its key is one that no row has.
        while view.rows.iter().any(|row| row.scheduled_at == last) {
            last -= millisecond;
        }
        let (status, reason) = match &view.state.pause {
            None => (Status::Missed, Reason::Deadline),
            Some(_) => (Status::Skipped, Reason::Paused),
        };
        let mut plan = DecisionPlan { watermark: later(view, end), ..DecisionPlan::default() };
        plan.ends_pause =
            pause_over.is_some() || (view.state.pause.is_some() && self.purpose == Purpose::Resume && !view.is_cut);
        if view.state.enabled && first <= last {
            plan.rows.push(PlannedRow::Range {
                status,
                reason,
                missed_from: first,
                scheduled_at: last,
                missed_count: 0,
            });
        }
        plan
    }
}

/// An occurrence that is within its deadline, and that whoever plans can't run.
fn wait(planner: &OwedPlanner, at: DateTime<Utc>) -> PlannedRow {
    PlannedRow::Waiting {
        occurrence: OccurrenceKey::scheduled(at),
        scheduled_at: at,
        not_before: planner.not_before(at),
        max_attempts: planner.settings.max_attempts(),
    }
}
