//! Whether what bodies did and what the rows say fit together, and fit what was promised.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    effects::{Effect, EffectKind},
    machine::Life,
};
use crate::{
    execution::Execution,
    identity::{ExecutionId, JobId},
    job::{JobSettings, OverlapPolicy},
    occurrence::{OccurrenceKey, Origin},
    status::Status,
    store::EARLY_TOLERANCE,
    testing::{Invariant, Violation},
};

/// How long before the end a row may have begun to wait or a body to have ended, without being seen to.
const RECENT: TimeDelta = TimeDelta::seconds(20);

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) rows: &'a [Execution],
    pub(crate) effects: &'a [Effect],
    pub(crate) lives: &'a [Life],
    pub(crate) jobs: &'a BTreeMap<JobId, Arc<JobSettings>>,
    /// The store's clock at the end.
    pub(crate) now: DateTime<Utc>,
    /// Whether rows and bodies go by one clock and one sequence of fences.
    pub(crate) is_shared: bool,
}

impl Case<'_> {
    /// Whether each body's start had its row, once, in time, and each row's success its body.
    pub(crate) fn outcomes(&self) -> Vec<Violation> {
        let rows: HashMap<ExecutionId, &Execution> = self.rows.iter().map(|row| (row.id, row)).collect();
        let attempts: HashSet<_> = self.rows.iter().map(attempt_of).collect();
        let mut violations = Vec::new();
        let mut ended = HashSet::new();
        for effect in self.effects {
            let row = rows.get(&effect.execution_id).copied();
            match effect.kind {
                EffectKind::Started => violations.extend(self.written_first(effect, row)),
                EffectKind::Ended { succeeded: true } => {
                    ended.insert(effect.execution_id);
                    let next = (&effect.job_id, &effect.occurrence, effect.attempt + 1);
                    violations.extend(self.outcome_kept(effect, row, attempts.contains(&next)));
                }
                EffectKind::Ended { .. } | EffectKind::Dropped => {}
            }
        }
        for row in self.rows.iter().filter(|row| row.status == Status::Succeeded && !ended.contains(&row.id)) {
            violations.push(of(
                Invariant::OutcomeKept,
                row,
                "it has succeeded, and its body did not end so".to_owned(),
            ));
        }
        violations
    }

    fn written_first(&self, effect: &Effect, row: Option<&Execution>) -> Option<Violation> {
        let early = TimeDelta::from_std(EARLY_TOLERANCE).expect("50 ms");
        let what = match row {
            None => "a body started without a row".to_owned(),
            Some(row) if row.started_at.is_none() => "a body started before its row said so".to_owned(),
            Some(_) if !self.is_shared => return None,
            Some(row) if row.fence != Some(effect.fence) => {
                format!("a body started with fence {}, and the row has {:?}", effect.fence, row.fence)
            }
            // A claim is written before the instant at which its body starts, and says that instant (R1).
            Some(row)
                if row.started_at.map(|at| at - early) > Some(effect.store_at) || row.created_at > effect.store_at =>
            {
                "a body started before its row said so".to_owned()
            }
            Some(_) => return None,
        };
        Some(by(Invariant::WrittenFirst, effect, what))
    }

    /// Whether a body's success is its row's, unless the process was lost before it was written, or the occurrence was
    /// another's by then.
    fn outcome_kept(&self, effect: &Effect, row: Option<&Execution>, is_followed: bool) -> Option<Violation> {
        let row = row?;
        let lived_on = self.lives.iter().any(|life| life.instance == effect.instance && life.is_alive);
        let is_recent = effect.store_at > self.now - RECENT && row.status == Status::Running;
        let is_lost = row.status != Status::Succeeded && lived_on && !is_followed && !is_recent;
        is_lost.then(|| of(Invariant::OutcomeKept, row, format!("its body succeeded, and the row is {}", row.status)))
    }

    /// Whether anything runs or waits that nobody will end.
    pub(crate) fn stuck(&self) -> Vec<Violation> {
        let runs = |row: &Execution| {
            let of_row = |effect: &&Effect| effect.execution_id == row.id;
            let lives = self.lives.iter().any(|life| Some(life.instance) == row.instance && life.is_alive);
            lives && self.effects.iter().rfind(of_row).is_some_and(|last| last.kind == EffectKind::Started)
        };
        let mut violations = Vec::new();
        for row in self.rows.iter().filter(|row| !row.status.is_final()) {
            let since = row.started_at.or_else(|| self.may_start_since(row)).unwrap_or(self.now);
            if since > self.now - RECENT || runs(row) {
                continue;
            }
            let seconds = (self.now - since).num_seconds();
            violations.push(of(Invariant::NotStuck, row, format!("it is {} since {seconds} s", row.status)));
        }
        violations
    }

    /// Since when nothing but the schedulers keeps a pending row from its start; `None` while the job's key is in use.
    ///
    /// The key goes from one to the next of those that wait for it, and to what the schedule brings before them all.
    fn may_start_since(&self, row: &Execution) -> Option<DateTime<Utc>> {
        let is_exclusive = self.jobs.get(&row.job_id).is_none_or(|job| job.overlap != OverlapPolicy::Allow);
        let runs = self.rows.iter().filter(|run| is_exclusive && run.job_id == row.job_id && run.started_at.is_some());
        let ends: Option<Vec<_>> = runs.map(|run| run.finished_at).collect();
        Some(ends?.into_iter().fold(row.not_before, DateTime::max))
    }

    /// Whether each request that was accepted is in the history.
    pub(crate) fn accepted(&self, accepted: &[(JobId, OccurrenceKey)]) -> Vec<Violation> {
        let known: HashSet<_> = self.rows.iter().map(|row| (&row.job_id, &row.occurrence)).collect();
        let lost = accepted.iter().filter(|(job, occurrence)| !known.contains(&(job, occurrence)));
        lost.map(|(job, occurrence)| {
            Violation::new(Invariant::NoHole, job, None, format!("request {occurrence} was accepted and has no row"))
        })
        .collect()
    }

    /// Whether the body of each attempt started once, and none before its time by the store's clock.
    pub(crate) fn starts(&self) -> Vec<Violation> {
        let tolerance = TimeDelta::from_std(EARLY_TOLERANCE).expect("50 ms");
        let mut violations = Vec::new();
        let mut seen: HashMap<_, &Effect> = HashMap::new();
        for effect in self.effects.iter().filter(|effect| effect.kind == EffectKind::Started) {
            let attempt = (&effect.job_id, &effect.occurrence, effect.attempt);
            if let Some(first) = seen.insert(attempt, effect) {
                let what = format!(
                    "attempt {} at {} started at {:?} and again at {:?}",
                    effect.attempt, effect.occurrence, first.at, effect.at
                );
                violations.push(by(Invariant::StartedOnce, effect, what));
            }
            let is_scheduled =
                (self.is_shared && effect.origin == Origin::Schedule) || effect.occurrence.scheduled_at().is_some();
            let jittered = self.jobs.get(&effect.job_id).filter(|_| effect.origin == Origin::Schedule);
            let due_at = jittered
                .map_or(effect.scheduled_at, |settings| settings.not_before(effect.scheduled_at, effect.instance));
            if is_scheduled && effect.store_at + tolerance < due_at {
                let early = (due_at - effect.store_at).num_milliseconds();
                violations.push(by(Invariant::InTime, effect, format!("its body started {early} ms before its time")));
            }
        }
        violations
    }

    /// How many occurrences the schedules have had since.
    pub(crate) fn expected(&self, after: DateTime<Utc>) -> usize {
        let scheduled = self.jobs.values().filter(|settings| settings.enabled);
        scheduled.map(|settings| settings.trigger.occurrences_between(after, self.now).count()).sum()
    }
}

fn attempt_of(row: &Execution) -> (&JobId, &OccurrenceKey, u32) {
    (&row.job_id, &row.occurrence, row.attempt)
}

fn of(invariant: Invariant, row: &Execution, what: String) -> Violation {
    Violation::new(invariant, &row.job_id, Some(row), what)
}

fn by(invariant: Invariant, effect: &Effect, what: String) -> Violation {
    let mut violation = Violation::new(invariant, &effect.job_id, None, what);
    violation.execution_id = Some(effect.execution_id);
    violation
}
