//! What fell in a pause (R23).

use chrono::{DateTime, TimeDelta, Utc};

use super::{OwedPlanner, later};
use crate::{
    status::{Reason, Status},
    store::{DecideView, DecisionPlan},
};

impl OwedPlanner {
    /// Ends a pause at an instant of its own choosing: what is due then runs.
    pub(super) fn end_pause(&self, view: &DecideView, until: DateTime<Utc>) -> DecisionPlan {
        // An occurrence's key has milliseconds: this is the last one before.
        let end = until - TimeDelta::milliseconds(1);
        let plan = self.skip_paused(view, end);
        let is_through = plan.watermark.unwrap_or(view.state.watermark) >= end;
        DecisionPlan { ends_pause: is_through, ..plan }
    }

    /// Records what fell in a pause, up to an instant and this included, as one skipped range; the pause goes on.
    pub(super) fn skip_paused(&self, view: &DecideView, end: DateTime<Utc>) -> DecisionPlan {
        let end = end.min(view.until);
        let mut plan = DecisionPlan::default();
        // The time in which a job is disabled is never owed, and so never skipped either.
        if !view.state.enabled {
            plan.watermark = later(view, end);
            return plan;
        }
        let paused = self.undecided(view, end);
        self.cover(view, (Status::Skipped, Reason::Paused), &paused.occurrences, &mut plan);
        plan.watermark = later(view, paused.end);
        plan
    }
}
