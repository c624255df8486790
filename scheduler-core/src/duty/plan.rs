//! What is to be written of a job's undecided occurrences (R12). Pure.

mod pause;
mod stored;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

pub(crate) use stored::{Purpose, StoredPlanner};

use crate::{
    engine::Elsewhere,
    identity::{ClaimId, InstanceId},
    job::{CatchUp, JobSettings},
    occurrence::OccurrenceKey,
    status::{Reason, Status},
    store::{Claim, DecideView, DecidedRow, DecisionPlan, GrowRange, LostClaim, PlannedRow, Planner, RangeRow},
};

/// How many occurrences one pass covers at most; it commits, and the next one goes on.
pub(crate) const PASS: usize = 10_000;

/// How near its deadline an occurrence may be claimed in a pass: the claim is written a moment after the plan.
pub(crate) const MOMENT: TimeDelta = TimeDelta::seconds(1);

/// Plans for one job.
#[derive(Debug)]
pub(crate) struct OwedPlanner {
    pub(crate) settings: Arc<JobSettings>,
    pub(crate) instance: InstanceId,
    /// What was decided elsewhere, where the store is not shared (R15).
    pub(crate) elsewhere: Elsewhere,
    /// Whether an occurrence within its deadline may be claimed in the pass; without a shared store it waits as a row.
    pub(crate) claims: bool,
    /// The claims of every plan made, by which they are looked up where the pass's answer is lost (R8).
    pub(crate) claimed: Mutex<Vec<LostClaim>>,
}

/// What has no row.
#[derive(Debug)]
struct Undecided {
    occurrences: Vec<DateTime<Utc>>,
    /// Up to where the pass went.
    end: DateTime<Utc>,
    /// Whether more occurrences follow before the end that was asked for.
    is_cut: bool,
}

/// What a pass found.
#[derive(Debug)]
struct Owed {
    /// Undecided, and still within their start deadline.
    in_time: Vec<DateTime<Utc>>,
    /// Undecided, and too late to start on time.
    late: Vec<DateTime<Utc>>,
    /// Up to where the pass went.
    end: DateTime<Utc>,
    /// Whether more occurrences follow before the end of the view.
    is_cut: bool,
}

/// Which occurrences have rows, asked in the order of their instants.
#[derive(Debug)]
struct Covered {
    /// Instants with rows of their own, the next one last.
    own: Vec<DateTime<Utc>>,
    /// For each range its end, and the first instant covered by it or by a later one; the next one last.
    ranges: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Covered {
    /// From rows by `scheduled_at`.
    fn new(rows: &[DecidedRow]) -> Self {
        let mut covered = Self { own: Vec::new(), ranges: Vec::new() };
        let mut first_covered = DateTime::<Utc>::MAX_UTC;
        for row in rows.iter().rev() {
            match row.missed_from {
                None => covered.own.push(row.scheduled_at),
                Some(from) => {
                    first_covered = first_covered.min(from);
                    covered.ranges.push((row.scheduled_at, first_covered));
                }
            }
        }
        covered
    }

    fn has(&mut self, at: DateTime<Utc>) -> bool {
        while self.own.pop_if(|own| *own < at).is_some() {}
        while self.ranges.pop_if(|(end, _)| *end < at).is_some() {}
        self.own.last() == Some(&at) || self.ranges.last().is_some_and(|(_, from)| *from <= at)
    }
}

impl Planner for OwedPlanner {
    fn plan(&self, view: &DecideView) -> DecisionPlan {
        match &view.state.pause {
            None => {
                let due_until = self.settings.due_until(self.until(view), self.instance);
                self.decide(view, due_until, |at| self.start(view, at))
            }
            // A pause's span is decided as a whole when it ends (R23).
            Some(pause) => match pause.until.filter(|until| *until <= view.now) {
                Some(until) => self.end_pause(view, until),
                None => DecisionPlan::default(),
            },
        }
    }
}

/// Those of the schedule's occurrences above a watermark, up to an instant, that have no row by these rows, and are not known
/// to have one without them.
pub(crate) fn without_rows(
    settings: &JobSettings,
    (watermark, until): (DateTime<Utc>, DateTime<Utc>),
    rows: &[DecidedRow],
    known: &[DateTime<Utc>],
) -> impl Iterator<Item = DateTime<Utc>> {
    let mut covered = Covered::new(rows);
    // What each instance runs for itself is nobody's to catch up (R26).
    let until = if settings.every_instance { watermark } else { until };
    let occurrences = settings.trigger.occurrences_between(watermark, until);
    occurrences.filter(move |at| !covered.has(*at) && !known.contains(at))
}

/// The new watermark, if it is above the old one.
fn later(view: &DecideView, watermark: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (watermark > view.state.watermark).then_some(watermark)
}

impl OwedPlanner {
    /// The claims of every plan made.
    pub(crate) fn into_claimed(self) -> Vec<LostClaim> {
        self.claimed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides what is owed up to an instant; what is within its deadline as `in_time` says.
    fn decide(
        &self,
        view: &DecideView,
        until: DateTime<Utc>,
        in_time: impl Fn(DateTime<Utc>) -> PlannedRow,
    ) -> DecisionPlan {
        if !view.state.enabled {
            return DecisionPlan { watermark: later(view, until), ..DecisionPlan::default() };
        }
        let owed = self.owed(view, until);
        let mut plan = DecisionPlan::default();
        plan.rows.extend(owed.in_time.iter().map(|at| in_time(*at)));
        self.catch_up(view, &owed, &mut plan);
        plan.watermark = later(view, owed.end);
        plan
    }

    /// The end of the pass: time has gone by since the lock backend was asked, and it was asked of no more.
    fn until(&self, view: &DecideView) -> DateTime<Utc> {
        self.elsewhere.until.map_or(view.until, |asked| asked.min(view.until))
    }

    fn owed(&self, view: &DecideView, until: DateTime<Utc>) -> Owed {
        let Undecided { occurrences, end, is_cut } = self.undecided(view, until);
        let is_in_time = |at: &DateTime<Utc>| view.now + MOMENT < self.deadline(*at);
        let (in_time, late) = occurrences.into_iter().partition(is_in_time);
        Owed { in_time, late, end, is_cut: is_cut || view.is_cut }
    }

    /// The occurrences above the watermark, up to `until`, that have no row and were not decided elsewhere.
    fn undecided(&self, view: &DecideView, until: DateTime<Utc>) -> Undecided {
        let mut found = Undecided { occurrences: Vec::new(), end: until, is_cut: false };
        // What each instance runs for itself is nobody's to catch up (R26).
        if self.settings.every_instance {
            return found;
        }
        let mut at = view.state.watermark;
        let mut covered = Covered::new(&view.rows);
        for seen in 0.. {
            let Some(next) = self.settings.trigger.next_after(at).filter(|next| *next <= until) else { break };
            if seen == PASS {
                found.end = at;
                found.is_cut = true;
                break;
            }
            at = next;
            if !covered.has(at) && !self.elsewhere.has(at) {
                found.occurrences.push(at);
            }
        }
        found
    }

    fn not_before(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.settings.not_before(at, self.instance)
    }

    fn deadline(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.settings.deadline(at, self.instance)
    }

    fn start(&self, view: &DecideView, at: DateTime<Utc>) -> PlannedRow {
        let settings = &self.settings;
        if !self.claims {
            return self.wait(at);
        }
        let claim = Claim {
            claim_id: ClaimId::random(),
            job_id: settings.id.clone(),
            revision: view.state.revision,
            occurrence: OccurrenceKey::scheduled(at),
            scheduled_at: at,
            not_before: self.not_before(at),
            deadline: self.deadline(at),
            max_attempts: settings.max_attempts(),
            overlap: settings.overlap,
            rerun_on_crash: settings.reruns_on_crash(),
            lease: settings.lease_ttl,
            instance: self.instance,
            every_instance: settings.every_instance,
        };
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner).push(LostClaim::of(&claim));
        PlannedRow::Claim(claim)
    }

    fn wait(&self, at: DateTime<Utc>) -> PlannedRow {
        PlannedRow::CatchUp {
            occurrence: OccurrenceKey::scheduled(at),
            scheduled_at: at,
            max_attempts: self.settings.max_attempts(),
        }
    }

    /// Which of the late occurrences run after all, and which are missed, by the catch-up policy.
    fn catch_up(&self, view: &DecideView, owed: &Owed, plan: &mut DecisionPlan) {
        let within = |at: DateTime<Utc>| {
            let late = (view.now - self.not_before(at)).to_std().unwrap_or(Duration::ZERO);
            self.settings.is_in_catch_up_window(at, late)
        };
        let in_window: Vec<_> = owed.late.iter().copied().filter(|at| within(*at)).collect();
        let (kept, rest_reason) = match self.settings.catch_up {
            CatchUp::Skip => (&[][..], Reason::Deadline),
            // Of a pass that was cut short the next one has the latest.
            CatchUp::Latest if owed.is_cut => (&[][..], Reason::Coalesced),
            CatchUp::Latest => (&in_window[in_window.len().saturating_sub(1)..], Reason::Coalesced),
            CatchUp::All => {
                let limit = usize::try_from(self.settings.catch_up_limit).unwrap_or(usize::MAX).min(PASS);
                // Of a pass that was cut short the next ones have the later occurrences, which come first.
                let limit = if owed.is_cut { limit - self.count_late(view, owed.end, limit) } else { limit };
                (&in_window[in_window.len().saturating_sub(limit)..], Reason::CatchUpLimit)
            }
        };
        plan.rows.extend(kept.iter().map(|at| self.wait(*at)));
        for reason in [Reason::Deadline, rest_reason] {
            let is_of = |at: &DateTime<Utc>| {
                let because = if within(*at) { rest_reason } else { Reason::Deadline };
                because == reason && !kept.contains(at)
            };
            let missed: Vec<_> = owed.late.iter().copied().filter(is_of).collect();
            self.cover(view, (Status::Missed, reason), &missed, plan);
            if rest_reason == Reason::Deadline {
                break;
            }
        }
    }

    /// How many occurrences after this instant are too late as well, as far as this many.
    fn count_late(&self, view: &DecideView, after: DateTime<Utc>, most: usize) -> usize {
        let next = |at: &DateTime<Utc>| self.settings.trigger.next_after(*at);
        let is_late = |at: &DateTime<Utc>| *at <= view.now && view.now + MOMENT >= self.deadline(*at);
        std::iter::successors(next(&after), next).take(most).take_while(is_late).count()
    }

    /// One row for a range that never runs, or growth of the newest one if it follows on it.
    fn cover(
        &self,
        view: &DecideView,
        (status, reason): (Status, Reason),
        occurrences: &[DateTime<Utc>],
        plan: &mut DecisionPlan,
    ) {
        let (Some(first), Some(last)) = (occurrences.first(), occurrences.last()) else { return };
        let follows = |range: &RangeRow| {
            range.reason == reason && self.settings.trigger.next_after(range.scheduled_at) == Some(*first)
        };
        match view.newest_range.filter(follows) {
            Some(range) if plan.grow.is_none() => {
                plan.grow = Some(GrowRange {
                    execution_id: range.execution_id,
                    scheduled_at: *last,
                    added: occurrences.len() as u64,
                });
            }
            _ => plan.rows.push(PlannedRow::Range {
                status,
                reason,
                missed_from: *first,
                scheduled_at: *last,
                missed_count: occurrences.len() as u64,
            }),
        }
    }
}
