//! The next occurrence and the reading of an expression, beside five crates that do the same.
//!
//! `cargo bench -p scheduler-benches --bench cron`. Each figure is the nanoseconds of one call: the fastest of several rounds over the same
//! 512 instants of one year. A peer that refuses an expression, or knows no zones, has no figure there. The last column is the fastest peer
//! that follows the zone, by ours.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod peers;

use std::hint::black_box;
use std::time::Duration;

use chrono_tz::Tz;
use scheduler_benches::Table;
use scheduler_cron::CronExpr;

use peers::{Question, Search};

/// As five fields, and as the peers that count weekdays from 1 or want seconds write it.
const EXPRESSIONS: [(&str, &str); 6] = [
    ("* * * * *", "0 * * * * *"),
    ("30 0 * * *", "0 30 0 * * *"),
    ("*/15 * * * *", "0 */15 * * * *"),
    ("0 9-17/2 * * 1-5", "0 0 9-17/2 * * MON-FRI"),
    ("0 0 29 2 *", "0 0 0 29 2 *"),
    ("0 0 L * *", "0 0 0 L * *"),
];

const ZONES: [Tz; 3] = [Tz::UTC, Tz::Asia__Jakarta, Tz::America__New_York];

/// 2026-01-01T00:00:00Z.
const FROM: i64 = 1_767_225_600;

/// Odd, so that the instants fall on all minutes and seconds.
const APART: i64 = 61_603;

const INSTANTS: i64 = 512;

const ROUNDS: usize = 9;

fn main() {
    println!("next occurrence, ns\n");
    let mut table =
        Table::new(&["expression", "zone", "ours", "cron", "croner", "cron-lite", "jiff-cron", "saffron", "peer/ours"]);
    for (text, with_seconds) in EXPRESSIONS {
        for zone in ZONES {
            let ours = next(&|question| Box::new(peers::ours(text, question)), zone).expect("an expression of ours");
            let peers: Vec<Option<f64>> = peers::all(text, with_seconds).iter().map(|peer| next(peer, zone)).collect();
            let aware = if zone == Tz::UTC { &peers[..] } else { &peers[..4] };
            let fastest = aware.iter().flatten().copied().min_by(f64::total_cmp);
            let cells = [text.to_owned(), zone.name().to_owned(), nanoseconds(Some(ours))];
            let ratio = fastest.map_or_else(String::new, |fastest| format!("{:.1}", fastest / ours));
            table.row(cells.into_iter().chain(peers.iter().copied().map(nanoseconds)).chain([ratio]));
        }
    }
    println!("{table}\nreading an expression, ns\n");
    let mut table =
        Table::new(&["expression", "ours", "cron", "croner", "cron-lite", "jiff-cron", "saffron", "peer/ours"]);
    for (text, with_seconds) in EXPRESSIONS {
        let ours = fastest(|| drop(black_box(CronExpr::parse(black_box(text)))));
        let peers = peers::parsers(text, with_seconds).map(|parse| {
            parse().then(|| {
                fastest(|| {
                    black_box(parse());
                })
            })
        });
        let ratio = peers
            .iter()
            .flatten()
            .copied()
            .min_by(f64::total_cmp)
            .map_or_else(String::new, |fastest| format!("{:.1}", fastest / ours));
        let cells = [text.to_owned(), nanoseconds(Some(ours))];
        table.row(cells.into_iter().chain(peers.map(nanoseconds)).chain([ratio]));
    }
    println!("{table}");
}

/// The time of one search, if the peer can be asked.
fn next(peer: &dyn Fn(&Question) -> Box<dyn Search>, zone: Tz) -> Option<f64> {
    let questions: Vec<Question> = (0..INSTANTS).map(|index| Question::new(FROM + index * APART, zone)).collect();
    let search = peer(&questions[0]);
    if !search.answers() {
        return None;
    }
    let total = fastest(|| questions.iter().for_each(|question| search.next(question)));
    Some(total / INSTANTS as f64)
}

/// The fastest of several rounds of about ten milliseconds, in nanoseconds a call.
fn fastest(mut call: impl FnMut()) -> f64 {
    let mut time = |calls: u32| {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time, and schedules nothing by it")]
        let started = std::time::Instant::now();
        (0..calls).for_each(|_| call());
        started.elapsed()
    };
    let mut calls = 1;
    while time(calls) < Duration::from_millis(5) {
        calls *= 2;
    }
    let rounds = (0..ROUNDS).map(|_| time(calls).as_nanos() as f64 / f64::from(calls));
    rounds.min_by(f64::total_cmp).expect("at least one round")
}

fn nanoseconds(measured: Option<f64>) -> String {
    measured.map_or_else(|| "–".to_owned(), |measured| format!("{measured:.0}"))
}
