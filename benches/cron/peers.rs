//! The same question, as each crate wants it put.

use std::hint::black_box;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use scheduler_cron::CronExpr;

/// An instant in every form, made beforehand: only the search is measured.
#[derive(Debug)]
pub(crate) struct Question {
    utc: DateTime<Utc>,
    zone: Tz,
    zoned: DateTime<Tz>,
    /// For a peer whose answer may be the question itself.
    next_second: DateTime<Tz>,
    jiff: jiff::Zoned,
}

impl Question {
    pub(crate) fn new(seconds: i64, zone: Tz) -> Question {
        let utc = DateTime::from_timestamp(seconds, 0).expect("an instant of this century");
        let zoned = utc.with_timezone(&zone);
        let next_second = zoned + TimeDelta::seconds(1);
        let timestamp = jiff::Timestamp::from_second(seconds).expect("an instant of this century");
        let jiff = timestamp.in_tz(zone.name()).expect("a zone of the machine");
        Question { utc, zone, zoned, next_second, jiff }
    }
}

/// A parsed expression of some crate.
pub(crate) trait Search {
    /// Whether the crate reads the expression and knows the zone.
    fn answers(&self) -> bool;

    fn next(&self, question: &Question);
}

/// Finds the next occurrence with a closure, so that each crate's types stay here.
struct Asked<S, F> {
    schedule: Option<S>,
    next: F,
}

impl<S, F: Fn(&S, &Question)> Search for Asked<S, F> {
    fn answers(&self) -> bool {
        self.schedule.is_some()
    }

    fn next(&self, question: &Question) {
        if let Some(schedule) = &self.schedule {
            (self.next)(schedule, question);
        }
    }
}

pub(crate) fn ours(text: &str, _: &Question) -> impl Search + use<> {
    Asked {
        schedule: CronExpr::parse(text).ok(),
        next: |expr: &CronExpr, question: &Question| {
            black_box(expr.next_after(question.utc, question.zone));
        },
    }
}

type Peer<'a> = Box<dyn Fn(&Question) -> Box<dyn Search> + 'a>;

/// cron, croner, cron-lite, jiff-cron, saffron.
pub(crate) fn all<'a>(text: &'a str, with_seconds: &'a str) -> [Peer<'a>; 5] {
    [
        Box::new(move |_| {
            Box::new(Asked {
                schedule: cron::Schedule::from_str(with_seconds).ok(),
                next: |schedule: &cron::Schedule, question: &Question| {
                    black_box(schedule.after(&question.zoned).next());
                },
            })
        }),
        Box::new(move |_| {
            Box::new(Asked {
                schedule: croner::Cron::from_str(text).ok(),
                next: |cron: &croner::Cron, question: &Question| {
                    drop(black_box(cron.find_next_occurrence(&question.zoned, false)))
                },
            })
        }),
        Box::new(move |_| {
            Box::new(Asked {
                schedule: cron_lite::Schedule::new(text).ok(),
                next: |schedule: &cron_lite::Schedule, question: &Question| {
                    black_box(schedule.upcoming(&question.next_second));
                },
            })
        }),
        Box::new(move |_| {
            Box::new(Asked {
                schedule: jiff_cron::Schedule::from_str(with_seconds).ok(),
                next: |schedule: &jiff_cron::Schedule, question: &Question| {
                    drop(black_box(schedule.after(question.jiff.clone()).next()))
                },
            })
        }),
        Box::new(move |question| {
            Box::new(Asked {
                schedule: text.parse::<saffron::Cron>().ok().filter(|_| question.zone == Tz::UTC),
                next: |cron: &saffron::Cron, question: &Question| {
                    black_box(cron.next_after(question.utc));
                },
            })
        }),
    ]
}

/// Reads the expression, and says whether the crate takes it.
pub(crate) fn parsers<'a>(text: &'a str, with_seconds: &'a str) -> [Box<dyn Fn() -> bool + 'a>; 5] {
    [
        Box::new(move || black_box(cron::Schedule::from_str(black_box(with_seconds))).is_ok()),
        Box::new(move || black_box(croner::Cron::from_str(black_box(text))).is_ok()),
        Box::new(move || black_box(cron_lite::Schedule::new(black_box(text))).is_ok()),
        Box::new(move || black_box(jiff_cron::Schedule::from_str(black_box(with_seconds))).is_ok()),
        Box::new(move || black_box(black_box(text).parse::<saffron::Cron>()).is_ok()),
    ]
}
