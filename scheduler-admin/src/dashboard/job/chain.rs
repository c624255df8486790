//! What a job runs after, and what runs after it, as a picture.

use std::collections::BTreeMap;

use maud::{Markup, html};
use scheduler_core::{
    SchedulerHandle,
    execution::Execution,
    identity::JobId,
    job::{Job, JobSettings},
    store::StoreError,
};

use crate::{
    caller::Caller,
    dashboard::{look, words::Words},
    error::ApiError,
};

/// A job's box, and the room around it.
const WIDE: usize = 200;
const TALL: usize = 44;
const ACROSS: usize = 60;
const DOWN: usize = 16;
/// How many characters a box has room for.
const NAME: usize = 25;

/// The jobs of a chain, each with its place: how many are before it, and among those that have as many.
pub(super) struct Chain {
    of: JobId,
    jobs: BTreeMap<JobId, (usize, usize)>,
    /// From which to which.
    steps: Vec<(JobId, JobId)>,
}

impl Chain {
    /// All jobs that are bound to a job by what runs after what, as far as the caller sees them.
    pub(super) async fn of(handle: &SchedulerHandle, caller: &Caller, id: &JobId) -> Result<Self, ApiError> {
        let mut jobs = Vec::new();
        for job in handle.definitions().iter().map(Job::settings) {
            if caller.sees(&job.id).await? {
                jobs.push(&**job);
            }
        }
        Ok(Self::among(&jobs, id))
    }

    fn among(jobs: &[&JobSettings], id: &JobId) -> Self {
        let seen = |name: &str| jobs.iter().find(|job| job.id.as_str() == name).map(|job| job.id.clone());
        let steps: Vec<_> = jobs
            .iter()
            .flat_map(|job| job.upstreams().filter_map(|name| Some((seen(name)?, job.id.clone()))))
            .collect();
        let mut levels = BTreeMap::from([(id.clone(), 0_usize)]);
        let mut found = vec![id.clone()];
        while let Some(one) = found.pop() {
            for (from, to) in steps.iter().filter(|(from, to)| *from == one || *to == one) {
                let other = if *from == one { to } else { from };
                if levels.insert(other.clone(), 0).is_none() {
                    found.push(other.clone());
                }
            }
        }
        let steps: Vec<_> = steps.into_iter().filter(|(from, _)| levels.contains_key(from)).collect();
        // There is no circle, so this many passes put each behind the last of those before it.
        for _ in 0..levels.len() {
            for (from, to) in &steps {
                let level = levels[from] + 1;
                let of = levels.get_mut(to).expect("every step is between two of them");
                *of = level.max(*of);
            }
        }
        let mut many = BTreeMap::<usize, usize>::new();
        let mut placed = BTreeMap::new();
        for (job, level) in levels {
            let place = many.entry(level).or_default();
            placed.insert(job, (level, *place));
            *place += 1;
        }
        Self { of: id.clone(), jobs: placed, steps }
    }

    /// Of each of its jobs the newest row.
    pub(super) async fn newest(&self, handle: &SchedulerHandle) -> Result<Vec<Execution>, StoreError> {
        if self.steps.is_empty() {
            return Ok(Vec::new());
        }
        handle.recent(&self.jobs.keys().cloned().collect::<Vec<_>>(), 1).await
    }

    pub(super) fn picture(&self, newest: &[Execution], root: &str, words: &Words) -> Markup {
        let across = |level: usize| level * (WIDE + ACROSS) + 2;
        let down = |place: usize| place * (TALL + DOWN) + 2;
        let (levels, places) = self.jobs.values().fold((0, 0), |(a, b), (level, place)| (a.max(*level), b.max(*place)));
        let (wide, tall) = (across(levels) + WIDE + 2, down(places) + TALL + 2);
        html! {
            @if self.steps.is_empty() { div class="card note" { (words.no_dependencies) } }
            @else {
                div id="chain" class="card wide note" tabindex="0" role="region" aria-label=(words.dependencies) {
                    svg class="chain" width=(wide) height=(tall) viewBox={ "0 0 " (wide) " " (tall) } role="group" aria-label=(words.dependencies) {
                        @for (from, to) in &self.steps { (step(self.jobs[from], self.jobs[to], across, down)) }
                        @for (job, (level, place)) in &self.jobs {
                            @let row = newest.iter().find(|row| row.job_id == *job);
                            @let (x, y) = (across(*level), down(*place));
                            @let name: String = job.as_str().chars().take(NAME).collect();
                            a href={ (root) "jobs/" (job) } aria-current=[(*job == self.of).then_some("page")] {
                                rect x=(x) y=(y) width=(WIDE) height=(TALL) rx="6" {}
                                text x=(x + 12) y=(y + 18) { (name) @if name.len() < job.as_str().len() { "…" } }
                                @if let Some(row) = row {
                                    text class={ "st " (look::class(row.status)) } x=(x + 12) y=(y + 35) { (look::icon(row.status)) " " (words.status_of(row.status)) }
                                } @else { text class="st skip" x=(x + 12) y=(y + 35) { (words.never) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// An arrow from one box's right side to another's left.
fn step(
    (level, place): (usize, usize),
    (to_level, to_place): (usize, usize),
    across: impl Fn(usize) -> usize,
    down: impl Fn(usize) -> usize,
) -> Markup {
    let (x1, y1) = (across(level) + WIDE, down(place) + TALL / 2);
    let (x2, y2) = (across(to_level), down(to_place) + TALL / 2);
    let bend = ACROSS / 2;
    html! {
        path class="step" d={ "M" (x1) " " (y1) "C" (x1 + bend) " " (y1) " " (x2 - bend) " " (y2) " " (x2 - 6) " " (y2) } {}
        path class="tip" d={ "M" (x2 - 8) " " (y2 - 5) "L" (x2) " " (y2) "L" (x2 - 8) " " (y2 + 5) "Z" } {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_stands_behind_the_last_of_those_that_it_runs_after_and_strangers_do_not() {
        let jobs = [
            Job::builder("extract").manual().run(|| async {}),
            Job::builder("load").after(["extract"]).run(|| async {}),
            Job::builder("check").after(["load"]).run(|| async {}),
            Job::builder("report").after(["extract", "check"]).run(|| async {}),
            Job::builder("mail").after(["load"]).run(|| async {}),
            Job::builder("alone").manual().run(|| async {}),
        ];
        let settings: Vec<_> = jobs.iter().map(|job| &**job.settings()).collect();
        let places = |of: &str| Chain::among(&settings, &of.parse().expect("an id"));
        let whole = places("load");
        let level = |job: &str| whole.jobs.iter().find(|(id, _)| id.as_str() == job).map(|(_, (level, _))| *level);
        let levels = ["extract", "load", "check", "mail", "report", "alone"].map(level);
        assert_eq!(levels, [Some(0), Some(1), Some(2), Some(2), Some(3), None]);
        assert_eq!(places("mail").jobs, whole.jobs, "a chain is the same from each of its jobs");
        assert_eq!(places("alone").steps, []);
    }
}
