//! Compares what bodies did with what the history says, and both with what was due.
//!
//! What was due is counted in whole seconds, by nothing of the scheduler's; what ran is read from the bodies' own file.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    process::ExitCode,
};

use chrono::{DateTime, Utc};
use scheduler::job::{OnCrash, OverlapPolicy};
use scheduler_tests::connect;

use crate::{
    effects::{self, Effect, What},
    jobs::{KINDS, Kind},
    node::REQUEST_EVERY,
    setting,
};

/// How early a start may be, by the database's clock (R1).
const EARLY_MS: i64 = 50;

/// How long after the end of its body an instance may be killed before its outcome is written: it may have been frozen or
/// cut off all the while.
const WRITING_MS: u64 = 60_000;

/// How much before the end of the run before it a run may say that it started: a claim reads the clock, and then waits for
/// the holder's end to commit.
const STAMP_MS: i64 = 100;

/// A row of the history.
#[derive(Debug)]
struct Row {
    id: i64,
    job: String,
    occurrence: String,
    attempt: i32,
    status: String,
    reason: Option<String>,
    scheduled_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    fence: Option<i64>,
    missed_from: Option<i64>,
    is_late: bool,
    is_open: bool,
}

/// What was found, by invariant.
#[derive(Debug, Default)]
struct Findings {
    violations: BTreeMap<&'static str, Vec<String>>,
    counts: BTreeMap<&'static str, usize>,
}

impl Findings {
    fn violate(&mut self, invariant: &'static str, what: String) {
        self.violations.entry(invariant).or_default().push(what);
    }

    fn count(&mut self, what: &'static str, by: usize) {
        *self.counts.entry(what).or_default() += by;
    }
}

/// Judges the occurrences of these seconds; the nodes have stopped calmly since.
pub(crate) async fn run(from: i64, to: i64) -> ExitCode {
    let rows = read_rows().await;
    let effects = effects::read(&setting("CHAOS_EFFECTS"));
    let killed = read_killed();
    let mut findings = Findings::default();
    for kind in &KINDS {
        let of_kind: Vec<&Row> = rows.iter().filter(|row| row.job == kind.id).collect();
        if kind.every > 0 {
            judge_coverage(kind, &of_kind, from, to, &mut findings);
        } else {
            judge_requests(&of_kind, from, to, &mut findings);
        }
        judge_attempts(kind, &of_kind, &effects, &mut findings);
        if kind.overlap != OverlapPolicy::Allow {
            judge_overlap(&of_kind, &mut findings);
            judge_fences(kind, &effects, &mut findings);
        }
    }
    judge_effects(&rows, &effects, &killed, &mut findings);
    report(&rows, &findings)
}

/// Every second that was due has its row or lies in a range, once; and none was made up.
fn judge_coverage(kind: &Kind, rows: &[&Row], from: i64, to: i64, findings: &mut Findings) {
    let firsts = rows.iter().filter(|row| row.attempt == 1 && row.occurrence.starts_with("s:"));
    let (ranges, own): (Vec<&Row>, Vec<&Row>) = firsts.copied().partition(|row| row.missed_from.is_some());
    let mut of_second: HashMap<i64, usize> = HashMap::new();
    for row in &own {
        *of_second.entry(row.scheduled_at.div_euclid(1_000)).or_default() += 1;
        if row.scheduled_at % (kind.every * 1_000) != 0 {
            findings.violate("made up", format!("{} {} was not due", row.job, row.occurrence));
        }
    }
    for second in (from..=to).filter(|second| second % kind.every == 0) {
        findings.count("occurrences due", 1);
        let covers =
            |row: &&&Row| row.missed_from.is_some_and(|from| (from..=row.scheduled_at).contains(&(second * 1_000)));
        match (of_second.get(&second).copied().unwrap_or(0), ranges.iter().filter(covers).count()) {
            (0, 0) => findings.violate("hole", format!("{} at {second} has no row", kind.id)),
            (0, 1) | (1, _) => {}
            (own, ranges) => {
                findings.violate("double", format!("{} at {second} has {own} rows and {ranges} ranges", kind.id));
            }
        }
    }
}

/// A request under one key has one first row.
fn judge_requests(rows: &[&Row], from: i64, to: i64, findings: &mut Findings) {
    let mut firsts: HashMap<&str, usize> = HashMap::new();
    for row in rows.iter().filter(|row| row.attempt == 1) {
        *firsts.entry(&row.occurrence).or_default() += 1;
    }
    findings.count("requests", firsts.len());
    for (occurrence, count) in firsts {
        let second = occurrence.rsplit_once('-').and_then(|(_, second)| second.parse::<i64>().ok());
        let is_known = second.is_some_and(|second| second % REQUEST_EVERY == 0);
        // Nodes whose clock is wrong ask early or late, and are heard all the same.
        if !is_known || second.is_some_and(|second| !(from - 300..=to + 300).contains(&second)) {
            findings.violate("made up", format!("request {occurrence} was never made"));
        }
        if count != 1 {
            findings.violate("double", format!("request {occurrence} has {count} first rows"));
        }
    }
}

/// Attempts are dense, each follows one that may be followed, and no body of an attempt started twice.
fn judge_attempts(kind: &Kind, rows: &[&Row], effects: &[Effect], findings: &mut Findings) {
    let mut by_occurrence: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_occurrence.entry(&row.occurrence).or_default().push(row);
    }
    let starts: Vec<&Effect> =
        effects.iter().filter(|effect| effect.job == kind.id && effect.what == What::Start).collect();
    let mut started: HashMap<(&str, u32), usize> = HashMap::new();
    for start in &starts {
        *started.entry((&start.occurrence, start.attempt)).or_default() += 1;
    }
    findings.count("starts", starts.len());
    for ((occurrence, attempt), count) in &started {
        if *count > 1 {
            findings.violate("double", format!("{} {occurrence} attempt {attempt} started {count} times", kind.id));
        }
    }
    for (occurrence, attempts) in &mut by_occurrence {
        attempts.sort_by_key(|row| row.attempt);
        for (nth, row) in attempts.iter().enumerate() {
            if usize::try_from(row.attempt) != Ok(nth + 1) {
                findings.violate("attempts", format!("{} {occurrence} skips to attempt {}", kind.id, row.attempt));
            }
            let Some(next) = attempts.get(nth + 1) else { continue };
            let without_body = row.reason.as_deref() == Some("unknown_commit");
            let may_follow = match row.status.as_str() {
                "failed" | "timed_out" => true,
                "abandoned" => kind.on_crash == OnCrash::Rerun || without_body,
                "cancelled" => kind.on_crash == OnCrash::Rerun && row.reason.as_deref() == Some("shutdown"),
                _ => false,
            };
            if !may_follow {
                findings
                    .violate("attempts", format!("{} {occurrence}: {} is followed by another", kind.id, row.status));
            }
            if without_body && started.contains_key(&(*occurrence, row.attempt.unsigned_abs())) {
                findings.violate("double", format!("{} {occurrence}: a body without a claim started", kind.id));
            }
            let both = next.started_at.zip(row.finished_at).filter(|_| !row.is_late);
            if both.is_some_and(|(started, finished)| started < finished) {
                findings
                    .violate("overlap", format!("{} {occurrence}: an attempt started before the last ended", kind.id));
            }
        }
    }
}

/// No two runs of a job that holds its key lie over each other, by the database's clock. When a run that was given up
/// ended, its row does not say: its late outcome came when its process went on.
fn judge_overlap(rows: &[&Row], findings: &mut Findings) {
    let mut runs: Vec<(i64, i64, i64)> = rows
        .iter()
        .filter(|row| !row.is_late)
        .filter_map(|row| Some((row.started_at?, row.finished_at.unwrap_or(i64::MAX), row.id)))
        .collect();
    runs.sort_unstable();
    for pair in runs.windows(2) {
        if pair[1].0.saturating_add(STAMP_MS) < pair[0].1 {
            findings.violate("overlap", format!("executions {} and {} ran at once", pair[0].2, pair[1].2));
        }
    }
}

/// A body never starts after one with a higher fence has (a zombie).
fn judge_fences(kind: &Kind, effects: &[Effect], findings: &mut Findings) {
    let mut starts: Vec<&Effect> =
        effects.iter().filter(|effect| effect.job == kind.id && effect.what == What::Start).collect();
    starts.sort_by_key(|start| start.at);
    let mut highest = 0;
    for start in starts {
        if start.fence < highest {
            findings.violate(
                "zombie",
                format!("{} {} started under fence {} after {highest}", kind.id, start.occurrence, start.fence),
            );
        }
        highest = highest.max(start.fence);
    }
}

/// Every body had its row first, none was early, and what ended is recorded as ended.
fn judge_effects(rows: &[Row], effects: &[Effect], killed: &HashMap<String, u64>, findings: &mut Findings) {
    let by_id: HashMap<i64, &Row> = rows.iter().map(|row| (row.id, row)).collect();
    // Where recovery let another attempt follow, its owner's outcome comes too late (R6).
    let followed: BTreeSet<(&str, &str, i32)> =
        rows.iter().map(|row| (row.job.as_str(), row.occurrence.as_str(), row.attempt - 1)).collect();
    let mut fences = BTreeSet::new();
    for row in rows {
        if row.fence.is_some_and(|fence| !fences.insert(fence)) {
            findings.violate("fences", format!("execution {} shares its fence", row.id));
        }
        if row.started_at.is_some_and(|started| started < row.scheduled_at - EARLY_MS)
            && row.occurrence.starts_with("s:")
        {
            findings.violate("early", format!("execution {} started before {}", row.id, row.occurrence));
        }
        if row.is_open {
            findings.violate("stuck", format!("execution {} is {} after everything has stopped", row.id, row.status));
        }
    }
    for effect in effects {
        let row = by_id.get(&effect.execution).filter(|row| row.fence == Some(effect.fence));
        let Some(row) = row else {
            findings.violate("unwritten", format!("{} {} ran without its row", effect.job, effect.occurrence));
            continue;
        };
        if effect.what == What::End {
            findings.count("ends", 1);
            let killed_at = killed.get(&effect.instance).copied();
            let died_writing = killed_at.is_some_and(|at| at >= effect.at && at - effect.at <= WRITING_MS);
            let is_followed = followed.contains(&(row.job.as_str(), row.occurrence.as_str(), row.attempt));
            if row.status != "succeeded" && !died_writing && !(row.status == "abandoned" && is_followed) {
                findings.violate(
                    "lost outcome",
                    format!("execution {} ended, and is {} ({:?})", row.id, row.status, row.reason),
                );
            }
        }
    }
}

fn report(rows: &[Row], findings: &Findings) -> ExitCode {
    let mut statuses: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in rows {
        *statuses.entry((&row.job, &row.status)).or_default() += 1;
    }
    println!("rows {}", rows.len());
    for ((job, status), count) in statuses {
        println!("rows.{job}.{status} {count}");
    }
    for (what, count) in &findings.counts {
        println!("{what} {count}");
    }
    let of = |invariant| findings.violations.get(invariant).map_or(0, Vec::len);
    for invariant in [
        "double",
        "hole",
        "made up",
        "early",
        "overlap",
        "zombie",
        "attempts",
        "fences",
        "unwritten",
        "lost outcome",
        "stuck",
    ] {
        println!("violations.{} {}", invariant.replace(' ', "_"), of(invariant));
    }
    for (invariant, found) in &findings.violations {
        for what in found.iter().take(20) {
            println!("{invariant}: {what}");
        }
    }
    if findings.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn read_rows() -> Vec<Row> {
    let client = connect(&setting("DATABASE_URL")).await;
    let query = "SELECT id, job_id::text, occurrence, attempt, status, reason, scheduled_at, started_at, finished_at, fence,
                        missed_from, late, status = 'running' OR status = 'pending' AND not_before < clock_timestamp() - interval '5 seconds'
                 FROM job_executions";
    let millis = |at: DateTime<Utc>| at.timestamp_millis();
    let rows = client.query(query, &[]).await.expect("the table is there");
    rows.iter()
        .map(|row| Row {
            id: row.get(0),
            job: row.get(1),
            occurrence: row.get(2),
            attempt: row.get(3),
            status: row.get(4),
            reason: row.get(5),
            scheduled_at: millis(row.get(6)),
            started_at: row.get::<_, Option<DateTime<Utc>>>(7).map(millis),
            finished_at: row.get::<_, Option<DateTime<Utc>>>(8).map(millis),
            fence: row.get(9),
            missed_from: row.get::<_, Option<DateTime<Utc>>>(10).map(millis),
            is_late: row.get(11),
            is_open: row.get(12),
        })
        .collect()
}

/// When each instance that was killed was killed, by the boot-time clock in milliseconds.
fn read_killed() -> HashMap<String, u64> {
    let text = std::fs::read_to_string(setting("CHAOS_KILLED")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(who, at)| Some((who.to_owned(), at.parse().ok()?)))
        .collect()
}
