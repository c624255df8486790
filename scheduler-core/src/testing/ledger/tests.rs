use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::{
    identity::{FencingToken, InstanceId},
    job::{Job, JobBuilder, OnCrash, OverlapPolicy},
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
};

/// The instant this many seconds after the start of the span.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("in range")
}

/// A job that is due each ten seconds, over a minute.
fn job_with(settings: impl FnOnce(JobBuilder) -> JobBuilder) -> LedgerJob {
    let job = settings(Job::builder("job").every(Duration::from_secs(10))).run(|| async {});
    LedgerJob { settings: Arc::clone(job.settings()), after: at(0), until: at(60) }
}

fn job() -> LedgerJob {
    job_with(|job| job)
}

/// The row of the occurrence at `scheduled`, which ran for a second.
fn row(id: i64, scheduled: i64) -> Execution {
    let mut row = Execution::new(
        ExecutionId(id),
        JobId::parse("job").expect("a valid id"),
        OccurrenceKey::scheduled(at(scheduled)),
        Origin::Schedule,
        Status::Succeeded,
        at(scheduled),
        at(scheduled),
    );
    row.max_attempts = 4;
    row.fence = Some(FencingToken(id));
    row.instance = Some(InstanceId::random());
    (row.started_at, row.finished_at) = (Some(at(scheduled)), Some(at(scheduled + 1)));
    row
}

/// A row of a whole minute without a fault.
fn minute() -> Vec<Execution> {
    (1..=6).map(|number| row(number, number * 10)).collect()
}

/// A row that never ran, of the occurrences from one instant to another.
fn range(id: i64, from: i64, to: i64, count: u64) -> Execution {
    let mut range = row(id, to);
    range.status = Status::Missed;
    range.reason = Some(Reason::Deadline);
    (range.fence, range.instance, range.started_at, range.finished_at) = (None, None, None, None);
    (range.missed_from, range.missed_count) = (Some(at(from)), Some(count));
    range
}

/// The next attempt at what `before` tried, started three seconds after it.
fn next(id: i64, before: &Execution) -> Execution {
    let mut next = before.clone();
    next.id = ExecutionId(id);
    next.attempt += 1;
    next.fence = Some(FencingToken(id));
    let later = |at: Option<DateTime<Utc>>| at.map(|at| at + TimeDelta::seconds(3));
    (next.started_at, next.finished_at) = (later(before.started_at), later(before.finished_at));
    next.created_at = before.finished_at.unwrap_or(before.created_at);
    next
}

fn found(job: &LedgerJob, rows: &[Execution]) -> Vec<String> {
    let violations = check_ledger(std::slice::from_ref(job), rows);
    violations.into_iter().map(|violation| format!("{}: {}", violation.invariant, violation.what)).collect()
}

#[test]
fn a_minute_without_a_fault_has_no_violation() {
    assert_eq!(found(&job(), &minute()), [""; 0]);
}

#[test]
fn an_occurrence_without_a_row_is_a_hole() {
    let mut rows = minute();
    rows.remove(2);
    assert_eq!(found(&job(), &rows), ["no_hole: nothing was decided of 2027-01-15T08:00:30Z"]);
}

#[test]
fn a_run_under_jitter_is_in_time_by_its_earliest_start() {
    let job = job_with(|job| job.jitter(Duration::from_secs(10)).start_deadline(Duration::from_secs(1)));
    let mut rows = minute();
    let any = InstanceId::random();
    for row in &mut rows {
        let not_before = job.settings.not_before(row.scheduled_at, any);
        (row.not_before, row.started_at, row.created_at) = (not_before, Some(not_before), not_before);
        row.finished_at = Some(not_before + TimeDelta::milliseconds(1));
    }
    assert_eq!(found(&job, &rows), [""; 0]);
    let not_before = rows[2].not_before;
    // Of a row that says nothing of it the settings do.
    rows[2].not_before = rows[2].scheduled_at;
    rows[2].started_at = Some(not_before - TimeDelta::milliseconds(51));
    assert_eq!(found(&job, &rows), ["in_time: it started 51 ms before its jitter was over"]);
    rows[2].started_at = Some(not_before);
    rows[2].created_at = not_before + TimeDelta::milliseconds(1_200);
    assert_eq!(found(&job, &rows), ["in_time: it was claimed 200 ms after its start deadline"]);
}

#[test]
fn a_range_covers_what_has_no_row_of_its_own() {
    let rows = [row(1, 10), range(2, 20, 50, 3), row(3, 30), row(4, 60)];
    assert_eq!(found(&job(), &rows), [""; 0]);
    let rows = [row(1, 10), range(2, 20, 50, 4), row(3, 30), row(4, 60)];
    assert_eq!(found(&job(), &rows), ["once: its range has 3 occurrences, and it says 4"]);
    let mut backfilled = row(5, 40);
    backfilled.origin = Origin::Backfill;
    (backfilled.started_at, backfilled.finished_at) = (Some(at(70)), Some(at(71)));
    let rows = [row(1, 10), range(2, 20, 50, 3), row(3, 30), row(4, 60), backfilled];
    assert_eq!(found(&job(), &rows), [""; 0], "what is backfilled stays in the count");
}

#[test]
fn ranges_that_cross_decide_an_occurrence_twice() {
    let rows = [row(1, 10), range(2, 20, 40, 3), range(3, 40, 50, 2), row(4, 60)];
    assert_eq!(found(&job(), &rows), ["once: its range begins in that of execution 2"]);
}

#[test]
fn two_first_attempts_are_a_double() {
    let mut rows = minute();
    rows.push(row(7, 60));
    rows[6].started_at = Some(at(62));
    rows[6].finished_at = Some(at(63));
    let found = found(&job(), &rows);
    assert!(found.iter().any(|what| what.starts_with("once: attempt 1 of occurrence s:1800000060000")), "{found:?}");
}

#[test]
fn an_instant_that_the_trigger_does_not_name_is_invented() {
    let mut rows = minute();
    rows.push(row(7, 65));
    assert_eq!(found(&job(), &rows), ["not_invented: the trigger does not name 2027-01-15T08:01:05Z"]);
    let mut rows = minute();
    rows[2].scheduled_at = at(50);
    assert!(found(&job(), &rows).iter().any(|what| what.starts_with("not_invented: its key is s:1800000030000")));
}

#[test]
fn a_run_before_its_time_is_told_with_how_much() {
    let mut rows = minute();
    rows[1].started_at = Some(at(20) - TimeDelta::milliseconds(50));
    assert_eq!(found(&job(), &rows), [""; 0], "what the tolerance allows");
    rows[1].started_at = Some(at(20) - TimeDelta::milliseconds(51));
    assert_eq!(found(&job(), &rows), ["in_time: it started 51 ms before its time"]);
}

#[test]
fn a_claim_after_its_deadline_is_told_and_a_catch_up_is_not() {
    let mut rows = minute();
    rows[5].created_at = at(70);
    rows[5].started_at = Some(at(70));
    rows[5].finished_at = Some(at(71));
    assert_eq!(found(&job(), &rows), ["in_time: it was claimed 0 ms after its start deadline"]);
    rows[5].origin = Origin::CatchUp;
    assert_eq!(found(&job(), &rows), [""; 0]);
}

#[test]
fn runs_overlap_only_where_the_policy_allows_it() {
    let mut rows = minute();
    rows[1].finished_at = Some(at(31));
    assert_eq!(found(&job(), &rows), ["one_at_a_time: it started while execution 2 ran"]);
    assert_eq!(found(&job_with(|job| job.overlap(OverlapPolicy::Allow)), &rows), [""; 0]);
    rows[1].late = true;
    assert_eq!(found(&job(), &rows), [""; 0], "it had been given up, nobody knows when");
    rows[1].late = false;
    rows[1].finished_at = Some(at(45));
    assert_eq!(found(&job(), &rows).len(), 2, "a long one overlaps all that follow");
}

#[test]
fn fences_are_unique_and_grow() {
    let mut rows = minute();
    rows[3].fence = Some(FencingToken(3));
    assert_eq!(found(&job(), &rows), ["fences: its fence is execution 3's as well"]);
    rows[3].fence = Some(FencingToken(9));
    assert!(found(&job(), &rows).contains(&"fences: it started before execution 6, whose fence is lower".to_owned()));
}

#[test]
fn attempts_have_no_gap_and_follow_on_what_did_not_succeed() {
    let mut rows = minute();
    rows[5].status = Status::Failed;
    rows.push(next(7, &rows[5]));
    rows.push(next(8, &rows[6]));
    assert_eq!(found(&job(), &rows), [""; 0]);
    rows.remove(6);
    assert_eq!(found(&job(), &rows), ["attempts: attempt 3 of occurrence s:1800000060000 stands where 2 should"]);
    rows.truncate(6);
    rows[5].status = Status::Succeeded;
    rows.push(next(7, &rows[5]));
    assert_eq!(found(&job(), &rows), ["attempts: attempt 2: it follows on one that was succeeded"]);
    rows[5].status = Status::Failed;
    rows[6].started_at = Some(at(60));
    assert!(
        found(&job(), &rows).contains(&"attempts: attempt 2: it started before the attempt before had ended".into())
    );
}

#[test]
fn what_was_backfilled_at_a_ranges_end_stays_when_the_range_grows() {
    let mut backfilled = next(9, &row(3, 30));
    backfilled.origin = Origin::Backfill;
    (backfilled.started_at, backfilled.finished_at) = (Some(at(70)), Some(at(71)));
    let rows = [row(1, 10), range(2, 20, 40, 3), row(5, 50), row(6, 60), backfilled.clone()];
    assert_eq!(found(&job(), &rows), [""; 0]);
    let rows = [row(1, 10), row(2, 20), row(4, 40), row(5, 50), row(6, 60), backfilled];
    let found = found(&job(), &rows);
    assert!(
        found.contains(&"attempts: attempt 2 of occurrence s:1800000030000 stands where 1 should".into()),
        "{found:?}"
    );
}

#[test]
fn more_attempts_than_allowed_do_not_add_up() {
    let mut rows = minute();
    rows[5].status = Status::Failed;
    rows[5].max_attempts = 1;
    rows.push(next(7, &rows[5]));
    assert_eq!(found(&job(), &rows), ["attempts: attempt 2 of at most 1"]);
}

#[test]
fn a_lost_run_is_followed_only_where_the_job_says_so() {
    let mut rows = minute();
    rows[5].status = Status::Abandoned;
    rows.push(next(7, &rows[5]));
    assert_eq!(found(&job(), &rows), ["attempts: attempt 2: it follows on one that was abandoned"]);
    assert_eq!(found(&job_with(|job| job.on_crash(OnCrash::Rerun)), &rows), [""; 0]);
    rows[5].reason = Some(Reason::UnknownCommit);
    assert_eq!(found(&job(), &rows), [""; 0], "its body never started");
    rows[5].reason = None;
    rows[6].max_attempts = 2;
    assert_eq!(found(&job(), &rows), [""; 0], "somebody asked for one more");
}

#[test]
fn a_row_s_fields_fit_its_status() {
    let broken: [fn(&mut Execution); 7] = [
        |row| row.status = Status::Pending,
        |row| row.status = Status::Running,
        |row| row.fence = None,
        |row| row.finished_at = None,
        |row| row.holds_key = true,
        |row| row.missed_from = Some(row.scheduled_at),
        |row| row.finished_at = Some(row.scheduled_at - TimeDelta::seconds(1)),
    ];
    for (number, breaks) in broken.into_iter().enumerate() {
        let mut rows = minute();
        breaks(&mut rows[0]);
        let found = found(&job(), &rows);
        assert!(found.iter().any(|what| what.starts_with("state: ")), "{number}: {found:?}");
    }
}

#[test]
fn one_row_holds_the_key_and_one_is_queued() {
    let mut rows = minute();
    for row in &mut rows[4..] {
        row.status = Status::Pending;
        (row.fence, row.instance, row.started_at, row.finished_at) = (None, None, None, None);
        (row.holds_key, row.queued) = (true, true);
    }
    let found = found(&job(), &rows);
    assert_eq!(
        found,
        [
            "one_at_a_time: it holds the job's key, as another row does",
            "one_at_a_time: it is queued, as another row does"
        ]
    );
}

mod changes {
    use super::*;

    /// What is found when a row changes.
    fn found(old: &Execution, change: impl FnOnce(&mut Execution)) -> Vec<String> {
        let mut new = old.clone();
        change(&mut new);
        let violations = check_change(std::slice::from_ref(old), &[new]);
        violations.into_iter().map(|violation| violation.what).collect()
    }

    #[test]
    fn a_final_row_stays_as_it_is() {
        let ended = row(1, 10);
        assert_eq!(found(&ended, |_| {}), [""; 0]);
        assert_eq!(found(&ended, |row| row.status = Status::Failed), ["it was succeeded and became failed"]);
        assert_eq!(found(&ended, |row| row.finished_at = Some(at(20))), ["its outcome was written again"]);
    }

    #[test]
    fn a_lost_run_s_outcome_may_come_late() {
        let mut lost = row(1, 10);
        lost.status = Status::Abandoned;
        let comes = |row: &mut Execution, late| {
            (row.status, row.late, row.finished_at) = (Status::Succeeded, late, Some(at(30)));
        };
        assert_eq!(found(&lost, |row| comes(row, true)), [""; 0]);
        assert_eq!(found(&lost, |row| comes(row, false)), ["it was abandoned and became succeeded"]);
    }

    #[test]
    fn a_lost_run_may_turn_out_to_be_a_claim_without_a_body() {
        let mut lost = row(1, 10);
        lost.status = Status::Abandoned;
        let told = |row: &mut Execution| {
            (row.reason, row.message) = (Some(Reason::UnknownCommit), Some("its body never started".to_owned()));
        };
        assert_eq!(found(&lost, told), [""; 0]);
        lost.status = Status::Failed;
        assert_eq!(found(&lost, told), ["its outcome was written again"]);
    }

    #[test]
    fn a_range_may_grow_and_not_shrink() {
        let range = range(1, 10, 30, 3);
        let grow = |row: &mut Execution, to| {
            row.scheduled_at = at(to);
            row.occurrence = OccurrenceKey::scheduled(at(to));
        };
        assert_eq!(found(&range, |row| grow(row, 40)), [""; 0]);
        assert_eq!(found(&range, |row| grow(row, 20)), ["its range shrank"]);
    }

    #[test]
    fn what_runs_does_not_wait_again_and_keeps_its_grant() {
        let mut running = row(1, 10);
        (running.status, running.finished_at) = (Status::Running, None);
        assert_eq!(found(&running, |row| row.status = Status::Pending), ["it was running and became pending"]);
        assert_eq!(found(&running, |row| row.fence = Some(FencingToken(9))), ["its grant became another's"]);
        assert_eq!(found(&running, |row| row.scheduled_at = at(20)), ["it became a row of something else"]);
    }
}

/// A job that runs after `job`, and its row for the occurrence at `scheduled`.
fn dependant() -> LedgerJob {
    let then = Job::builder("then").after(["job"]).run(|| async {});
    LedgerJob { settings: Arc::clone(then.settings()), ..job() }
}

fn follower(id: i64, scheduled: i64, status: Status) -> Execution {
    let mut follower = row(id, scheduled);
    follower.job_id = JobId::parse("then").expect("a valid id");
    follower.occurrence = OccurrenceKey::dependant(&follower.occurrence);
    (follower.origin, follower.status) = (Origin::Dependency, status);
    if status == Status::Skipped {
        follower.reason = Some(Reason::Upstream);
        (follower.fence, follower.instance, follower.started_at) = (None, None, None);
    }
    follower
}

#[test]
fn what_runs_after_a_job_follows_on_each_of_its_occurrences_that_is_over() {
    let check = |rows: &[Execution]| -> Vec<String> {
        check_ledger(&[job(), dependant()], rows).iter().map(ToString::to_string).collect()
    };
    let mut rows = minute();
    rows[4].status = Status::Failed;
    let followers = (1..=6).map(|number| {
        follower(10 + number, number * 10, if number == 5 { Status::Skipped } else { Status::Succeeded })
    });
    // The last one ends after the span.
    rows.extend(followers);
    assert_eq!(check(&rows), [""; 0]);
    let without = |id: i64| rows.iter().filter(|row| row.id != ExecutionId(id)).cloned().collect::<Vec<_>>();
    assert_eq!(check(&without(13)), ["no_hole: job `then`: nothing was decided of d:s:1800000030000"]);
    assert_eq!(check(&without(15)), ["no_hole: job `then`: nothing was decided of d:s:1800000050000"]);
    rows[4].status = Status::Succeeded;
    assert_eq!(
        check(&rows),
        ["no_hole: job `then`, execution 15: it was skipped, and every job that it runs after has succeeded"]
    );
    (rows[4].status, rows[1].status) = (Status::Failed, Status::TimedOut);
    assert_eq!(
        check(&rows),
        ["not_invented: job `then`, execution 12: it was to run, and not every job that it runs after has succeeded"]
    );
}

#[test]
fn instances_that_run_a_job_for_themselves_overlap_each_other_and_not_themselves() {
    let everywhere = job_with(|job| job.every_instance(true));
    let on = |id: i64, scheduled: i64, instance: InstanceId| {
        let mut row = row(id, scheduled);
        row.occurrence = OccurrenceKey::on_instance(at(scheduled), instance);
        (row.instance, row.for_instance) = (Some(instance), Some(instance));
        row
    };
    let [one, other] = [InstanceId::random(), InstanceId::random()];
    let mut rows = vec![on(1, 10, one), on(2, 10, other), on(3, 20, one)];
    let check = |rows: &[Execution]| -> Vec<String> {
        check_ledger(std::slice::from_ref(&everywhere), rows).iter().map(ToString::to_string).collect()
    };
    assert_eq!(check(&rows), [""; 0]);
    rows[0].finished_at = Some(at(25));
    assert_eq!(check(&rows), ["one_at_a_time: job `job`, execution 3: it started while execution 1 ran"]);
}
