//! Which jobs run after which, and what is wrong with that (R24).

use std::collections::{BTreeMap, BTreeSet};

use scheduler_cron::nearest;
use serde_json::Value;

use crate::{build_error::Mistake, job::Job};

/// How many jobs may stand in a chain one after the other.
const DEEPEST: usize = 16;

/// How many jobs may run after one.
const WIDEST: usize = 64;

/// The jobs by id, of those whose ids and settings are right.
struct Graph<'a>(BTreeMap<&'a str, &'a Job>);

/// What is wrong with what runs after what.
pub(super) fn mistakes(jobs: &[Job]) -> Vec<Mistake> {
    let right = jobs.iter().filter(|job| job.mistakes().is_empty());
    let graph = Graph(right.map(|job| (job.settings().id.as_str(), job)).collect());
    let mut mistakes = Vec::new();
    let mut dependants: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, job) in &graph.0 {
        job.settings().upstreams().for_each(|upstream| *dependants.entry(upstream).or_default() += 1);
        let problems = graph.problems(id, job);
        mistakes.extend(problems.into_iter().map(|problem| Mistake::Setting { id: (*id).to_owned(), problem }));
    }
    let crowded = dependants.into_iter().filter(|(_, count)| *count > WIDEST);
    mistakes.extend(crowded.map(|(id, count)| Mistake::Setting {
        id: id.to_owned(),
        problem: format!("{count} jobs run after it, and at most {WIDEST} may"),
    }));
    mistakes
}

impl Graph<'_> {
    fn problems(&self, id: &str, job: &Job) -> Vec<String> {
        let upstreams: Vec<&str> = job.settings().upstreams().collect();
        if upstreams.is_empty() {
            let needs =
                job.needs_upstream().then(|| "takes `Upstream`, and runs after no job; give it `after`".to_owned());
            return needs.into_iter().collect();
        }
        let mut problems: Vec<String> = upstreams.iter().filter_map(|upstream| self.unfit(upstream)).collect();
        problems.extend(self.without_result(job, &upstreams));
        if job.settings().every_instance {
            problems
                .push("`every_instance` does not go with `after`: a chain goes on once, on any instance".to_owned());
        }
        if !problems.is_empty() {
            return problems;
        }
        let mut path = vec![id];
        match self.roots(id, &mut path) {
            Err(problem) => problems.extend(problem),
            Ok(roots) if roots.len() > 1 => problems.push(format!(
                "the jobs it runs after must begin with one and the same job, and theirs begin with `{}`",
                roots.into_iter().collect::<Vec<_>>().join("`, `")
            )),
            Ok(_) => {}
        }
        problems
    }

    /// Whether the job takes a result that the jobs before can't have: what answers nothing, or a text, which is a message, has none.
    fn without_result(&self, job: &Job, upstreams: &[&str]) -> Option<String> {
        let before: Vec<&Job> = upstreams.iter().filter_map(|upstream| self.0.get(upstream).copied()).collect();
        if before.len() < upstreams.len() || !before.iter().all(|upstream| upstream.returns().has_no_result()) {
            return None;
        }
        let result = match upstreams {
            [_] => Value::Null,
            several => several.iter().map(|id| ((*id).to_owned(), Value::Null)).collect(),
        };
        let takes = job.check_upstream(&result).err()?;
        let answers = |(id, upstream): (&&str, &&Job)| format!("`{id}` returns `{}`", upstream.returns().success());
        let answers: Vec<String> = upstreams.iter().zip(&before).map(answers).collect();
        Some(format!(
            "takes {takes}, and {}: that has no result for others, as a text is a message; return `Json(…)` there",
            answers.join(", ")
        ))
    }

    /// Why nothing can run after a job.
    fn unfit(&self, upstream: &str) -> Option<String> {
        match self.0.get(upstream) {
            None => {
                let near = nearest(upstream, self.0.keys().copied());
                let mend = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                Some(format!("runs after `{upstream}`, which is no job of this scheduler{mend}"))
            }
            Some(job) if job.settings().every_instance => Some(format!(
                "runs after `{upstream}`, which every instance runs for itself: there is no end of it to wait for"
            )),
            Some(_) => None,
        }
    }

    /// The jobs that the chains of this one begin with; `Err` for a circle, told by the first of its jobs alone, and for
    /// what is wrong further up, which is told there.
    fn roots<'a>(&'a self, id: &str, path: &mut Vec<&'a str>) -> Result<BTreeSet<&'a str>, Option<String>> {
        let Some((id, job)) = self.0.get_key_value(id) else { return Err(None) };
        let mut roots = BTreeSet::new();
        for upstream in job.settings().upstreams() {
            let Some((upstream, _)) = self.0.get_key_value(upstream) else { return Err(None) };
            if let Some(begin) = path.iter().position(|before| before == upstream) {
                let circle = &path[begin..];
                let is_first = begin == 0 && circle.iter().all(|other| circle[0] <= *other);
                return Err(is_first.then(|| {
                    let way: Vec<&str> = circle.iter().chain([upstream]).copied().collect();
                    format!("runs after itself: `{}`", way.join("` after `"))
                }));
            }
            if path.len() == DEEPEST {
                return Err(Some(format!(
                    "stands below {DEEPEST} other jobs or more, and at most {} may",
                    DEEPEST - 1
                )));
            }
            path.push(upstream);
            roots.extend(self.roots(upstream, path)?);
            path.pop();
        }
        if roots.is_empty() {
            roots.insert(*id);
        }
        Ok(roots)
    }
}
