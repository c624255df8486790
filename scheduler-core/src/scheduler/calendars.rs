//! The calendars that jobs take out of their triggers.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use scheduler_cron::{Calendar, nearest};
use tracing::warn;

use crate::{build_error::Mistake, job::Job};

/// The calendars given, by name.
#[derive(Debug, Default)]
pub(super) struct Calendars {
    by_name: BTreeMap<String, Arc<Calendar>>,
    doubles: Vec<String>,
}

impl Calendars {
    pub(super) fn add(&mut self, calendar: Calendar) {
        let name = calendar.name().to_owned();
        if self.by_name.insert(name.clone(), Arc::new(calendar)).is_some() {
            self.doubles.push(name);
        }
    }

    /// Takes the calendars' days out of the triggers of the jobs that name them, and answers what can't be.
    pub(super) fn take_out(&self, jobs: &mut [Job], now: DateTime<Utc>) -> Vec<Mistake> {
        let mut mistakes: Vec<_> =
            self.doubles.iter().map(|name| Mistake::DuplicateCalendar { name: name.clone() }).collect();
        for job in jobs {
            let Some(name) = job.except().map(str::to_owned) else { continue };
            let taken = match self.by_name.get(&name) {
                Some(calendar) => {
                    warn_of_an_old_one(job, calendar, now);
                    job.take_out(Arc::clone(calendar)).map_err(|error| error.to_string())
                }
                None => Err(self.unknown(&name)),
            };
            if let Err(problem) = taken {
                mistakes.push(Mistake::Setting { id: job.settings().id.to_string(), problem });
            }
        }
        mistakes
    }

    fn unknown(&self, name: &str) -> String {
        let near = nearest(name, self.by_name.keys().map(String::as_str));
        let mend = near.map_or_else(
            || "give the builder one of that name by `.calendar(calendar)`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        format!("unknown calendar `{name}`; {mend}")
    }
}

/// Says that a calendar's days have all gone by: a job that it was to hold back runs on the days that it has not been told yet.
fn warn_of_an_old_one(job: &Job, calendar: &Calendar, now: DateTime<Utc>) {
    let today = now.with_timezone(&job.settings().zone()).date_naive();
    if let Some(last) = calendar.last_date().filter(|last| *last < today) {
        warn!(
            job_id = %job.settings().id,
            calendar = calendar.name(),
            last_date = %last,
            "the last date of this calendar has gone by: the job runs on every later day that the calendar does not name each year or week"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scheduler, build_error::BuildError, store::memory::MemoryStore};

    fn calendar(name: &str, text: &str) -> Calendar {
        Calendar::parse(name, text).expect("a calendar")
    }

    fn daily(id: &str, except: &str) -> Job {
        Job::builder(id).cron("30 0 * * *").tz("Asia/Jakarta").except(except).run(|| async {})
    }

    fn build(jobs: Vec<Job>, calendars: Vec<Calendar>) -> Result<Vec<Job>, BuildError> {
        let builder = Scheduler::builder(MemoryStore::new()).jobs(jobs);
        calendars
            .into_iter()
            .fold(builder, |builder, calendar| builder.calendar(calendar))
            .build()
            .map(|built| built.jobs)
    }

    #[test]
    fn a_job_is_not_due_on_the_days_of_its_calendar() {
        let jobs = build(
            vec![daily("held", "closed"), daily("other", "open")],
            vec![calendar("closed", "2026-08-17"), calendar("open", "")],
        );
        let next: Vec<_> = jobs
            .expect("valid")
            .iter()
            .map(|job| {
                let after = "2026-08-16T12:00:00Z".parse().expect("an instant");
                let next = job.settings().trigger.next_after(after).expect("endless");
                (
                    job.settings().trigger.to_string(),
                    next.with_timezone(&job.settings().zone()).date_naive().to_string(),
                )
            })
            .collect();
        let expected = [
            ("30 0 * * * Asia/Jakarta except=closed", "2026-08-18"),
            ("30 0 * * * Asia/Jakarta except=open", "2026-08-17"),
        ];
        assert_eq!(next, expected.map(|(trigger, next)| (trigger.to_owned(), next.to_owned())));
    }

    #[test]
    fn every_mistake_about_calendars_is_told_at_once() {
        let manual = Job::builder("manual").manual().except("closed").run(|| async {});
        let jobs = vec![daily("mistyped", "id-holiday"), daily("lost", "office"), daily("nothing", "closed"), manual];
        let calendars = vec![
            calendar("id-holidays", "*-12-25"),
            calendar("closed", "MON"),
            calendar("closed", "2026-01-01..2026-12-31"),
        ];
        let error = build(jobs, calendars).expect_err("all are wrong").to_string();
        for part in [
            "two calendars are named `closed`",
            "job `mistyped`: unknown calendar `id-holiday`; did you mean `id-holidays`?",
            "job `lost`: unknown calendar `office`; give the builder one of that name by `.calendar(calendar)`",
            "job `manual`: `except` goes with `cron` alone",
        ] {
            assert!(error.contains(part), "{part:?} is missing in:\n{error}");
        }
        let job = Job::builder("nothing").cron("0 0 * * MON").except("closed").run(|| async {});
        let error = build(vec![job], vec![calendar("closed", "MON")]).expect_err("nothing is left").to_string();
        let expected = "job `nothing`: nothing is left to be due: calendar `closed` takes out every day that is named";
        assert_eq!(error, expected);
    }

    #[test]
    fn other_days_are_another_revision_and_other_words_for_them_are_not() {
        let fingerprint = |text: &str| {
            let jobs = build(vec![daily("job", "closed")], vec![calendar("closed", text)]).expect("valid");
            jobs[0].settings().fingerprint()
        };
        let plain = fingerprint("2026-08-17\n*-12-25");
        assert_eq!(fingerprint("# Closed\n*-12-25 Natal\n2026-08-17 Proklamasi Kemerdekaan"), plain);
        assert_ne!(fingerprint("2026-08-17\n*-12-26"), plain);
        assert_ne!(fingerprint(""), plain);
    }
}
