use super::*;
use crate::{
    identity::{ExecutionId, JobId, RevisionId},
    job::Job,
    store::{DecidedRow, JobRevision, JobState, Pause},
};

const MINUTE: Duration = Duration::from_secs(60);

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(minute * 60, 0).expect("within chrono's range")
}

fn planner(catch_up: CatchUp) -> OwedPlanner {
    let job = Job::builder("job").every(MINUTE).catch_up(catch_up).run(|| async {});
    planner_of(&job)
}

fn planner_of(job: &Job) -> OwedPlanner {
    OwedPlanner {
        settings: Arc::clone(job.settings()),
        instance: InstanceId::random(),
        elsewhere: Elsewhere::default(),
        claims: true,
        claimed: Mutex::default(),
    }
}

/// A view of the minutes after `watermark`, two seconds after `now`'s minute.
fn view(watermark: i64, now: i64, rows: &[DecidedRow]) -> DecideView {
    let now = at(now) + TimeDelta::seconds(2);
    DecideView {
        now,
        state: JobState::new(JobId::parse("job").expect("a valid id"), RevisionId(1), true, at(watermark)),
        revision: None,
        until: now - TimeDelta::seconds(2),
        is_cut: false,
        rows: rows.to_vec(),
        newest_range: None,
        held: false,
    }
}

fn own(minute: i64) -> DecidedRow {
    DecidedRow { scheduled_at: at(minute), missed_from: None }
}

/// The plan in a few words, such as `claim 3`, `wait 2`, `deadline 1-2 (2)`.
fn words(plan: &DecisionPlan) -> Vec<String> {
    let minute = |at: &DateTime<Utc>| at.timestamp() / 60;
    plan.rows
        .iter()
        .map(|row| match row {
            PlannedRow::Claim(claim) => format!("claim {}", minute(&claim.scheduled_at)),
            PlannedRow::CatchUp { scheduled_at, .. } => format!("wait {}", minute(scheduled_at)),
            PlannedRow::Waiting { scheduled_at, .. } => format!("on time {}", minute(scheduled_at)),
            PlannedRow::Range { reason, missed_from, scheduled_at, missed_count, .. } => {
                format!("{reason} {}-{} ({missed_count})", minute(missed_from), minute(scheduled_at))
            }
        })
        .collect()
}

#[test]
fn nothing_owed_moves_the_watermark_alone() {
    let plan = planner(CatchUp::Latest).plan(&view(10, 12, &[own(11), own(12)]));
    assert!(plan.rows.is_empty());
    assert_eq!(plan.watermark, Some(at(12)));
}

#[test]
fn what_is_within_its_deadline_is_claimed_past_the_filter() {
    let plan = planner(CatchUp::Latest).plan(&view(10, 12, &[own(11)]));
    assert_eq!(words(&plan), ["claim 12"]);
}

#[test]
fn what_is_within_its_deadline_waits_where_the_store_is_not_shared() {
    let planner = OwedPlanner { claims: false, ..planner(CatchUp::Latest) };
    assert_eq!(words(&planner.plan(&view(11, 12, &[]))), ["wait 12"]);
}

#[test]
fn skip_records_an_outage_as_one_missed_range() {
    let plan = planner(CatchUp::Skip).plan(&view(10, 20, &[own(20)]));
    assert_eq!(words(&plan), ["deadline 11-19 (9)"]);
    assert_eq!(plan.watermark, Some(at(20)));
}

#[test]
fn latest_runs_the_last_one_of_its_window_and_coalesces_the_rest() {
    let job = Job::builder("job").every(MINUTE).catch_up_window(MINUTE * 4).run(|| async {});
    let mut view = view(10, 20, &[own(20)]);
    view.now -= TimeDelta::seconds(2);
    let plan = planner_of(&job).plan(&view);
    assert_eq!(words(&plan), ["wait 19", "deadline 11-15 (5)", "coalesced 16-18 (3)"]);
}

#[test]
fn all_runs_up_to_its_limit_oldest_first() {
    let job = Job::builder("job").every(MINUTE).catch_up(CatchUp::All).catch_up_window(MINUTE * 60).run(|| async {});
    let mut settings = (**job.settings()).clone();
    settings.catch_up_limit = 3;
    let planner = OwedPlanner { settings: Arc::new(settings), ..planner(CatchUp::All) };
    let plan = planner.plan(&view(10, 16, &[own(16)]));
    assert_eq!(words(&plan), ["wait 13", "wait 14", "wait 15", "catch_up_limit 11-12 (2)"]);
}

/// R12: without a window, `all` is bounded by its limit.
#[test]
fn all_alone_reaches_as_far_back_as_its_limit() {
    let job = Job::builder("job").every(MINUTE).catch_up(CatchUp::All).catch_up_limit(5).run(|| async {});
    let plan = planner_of(&job).plan(&view(10, 20, &[own(20)]));
    let kept = ["wait 15", "wait 16", "wait 17", "wait 18", "wait 19"];
    assert_eq!(words(&plan), [&kept[..], &["catch_up_limit 11-14 (4)"]].concat());
}

/// R12: a trigger's last occurrence may start and be caught up however late it is, unless a deadline or a window was given.
#[test]
fn what_nothing_follows_is_never_too_late() {
    let once = || Job::builder("job").at(at(11));
    for (job, expected) in [
        (once().run(|| async {}), &["claim 11"][..]),
        (Job::builder("job").cron("0 11 0 1 1 * 1970").run(|| async {}), &["claim 11"]),
        (once().catch_up(CatchUp::Skip).run(|| async {}), &["claim 11"]),
        (once().start_deadline(MINUTE).run(|| async {}), &["wait 11"]),
        (once().start_deadline(MINUTE).catch_up(CatchUp::Skip).run(|| async {}), &["deadline 11-11 (1)"]),
        (once().start_deadline(MINUTE).catch_up_window(MINUTE).run(|| async {}), &["deadline 11-11 (1)"]),
    ] {
        assert_eq!(words(&planner_of(&job).plan(&view(10, 10_000, &[]))), expected, "{:?}", job.settings());
    }
}

/// R12: under `all` the limit is the outage's, not the pass's.
#[test]
fn a_pass_that_was_cut_short_leaves_the_limit_to_those_that_follow() {
    let job = Job::builder("job").every(MINUTE).catch_up(CatchUp::All).catch_up_window(MINUTE * 1_000_000);
    let planner = planner_of(&job.catch_up_limit(3).run(|| async {}));
    let pass = i64::try_from(PASS).expect("a small number");
    let plan = planner.plan(&view(0, 3 * pass, &[]));
    assert_eq!(words(&plan), [format!("catch_up_limit 1-{pass} ({pass})")]);
    // One that is late follows: this pass has two of the three.
    let plan = planner.plan(&view(0, pass + 2, &[]));
    let kept = [format!("wait {}", pass - 1), format!("wait {pass}")];
    assert_eq!(words(&plan), [&kept[..], &[format!("catch_up_limit 1-{} ({})", pass - 2, pass - 2)]].concat());
}

#[test]
fn a_range_row_covers_what_lies_in_it_and_own_rows_within_it_stay() {
    let range = DecidedRow { scheduled_at: at(14), missed_from: Some(at(11)) };
    let plan = planner(CatchUp::Skip).plan(&view(10, 16, &[own(12), range, own(16)]));
    assert_eq!(words(&plan), ["deadline 15-15 (1)"]);
}

#[test]
fn the_newest_range_grows_while_passes_follow_on_each_other() {
    let mut view = view(14, 20, &[own(20)]);
    view.newest_range = Some(RangeRow {
        execution_id: ExecutionId(7),
        reason: Reason::Deadline,
        missed_from: at(11),
        scheduled_at: at(14),
    });
    let plan = planner(CatchUp::Skip).plan(&view);
    assert!(plan.rows.is_empty(), "{plan:?}");
    assert_eq!(plan.grow, Some(GrowRange { execution_id: ExecutionId(7), scheduled_at: at(19), added: 5 }));
    view.newest_range = view.newest_range.map(|range| RangeRow { scheduled_at: at(13), ..range });
    assert_eq!(
        words(&planner(CatchUp::Skip).plan(&view)),
        ["deadline 15-19 (5)"],
        "a range with a gap before it stays"
    );
}

#[test]
fn what_was_decided_elsewhere_gets_no_row() {
    let elsewhere = Elsewhere { cursor: Some(at(14)), ours: Vec::new(), until: Some(at(16)) };
    let planner = OwedPlanner { elsewhere, ..planner(CatchUp::Skip) };
    let plan = planner.plan(&view(10, 16, &[own(16)]));
    assert_eq!(words(&plan), ["deadline 15-15 (1)"]);
    assert_eq!(plan.watermark, Some(at(16)));
}

#[test]
fn what_the_lock_backend_was_not_asked_of_is_left_to_the_next_pass() {
    let elsewhere = Elsewhere { cursor: Some(at(14)), ours: Vec::new(), until: Some(at(15)) };
    let planner = OwedPlanner { elsewhere, claims: false, ..planner(CatchUp::Skip) };
    let plan = planner.plan(&view(10, 17, &[]));
    assert_eq!(words(&plan), ["deadline 15-15 (1)"], "16 and 17 went by while it was asked");
    assert_eq!(plan.watermark, Some(at(15)));
}

#[test]
fn paused_time_is_left_alone_and_disabled_time_is_never_owed() {
    let mut paused = view(10, 20, &[]);
    paused.state.pause = Some(Pause { at: at(10), by: None, reason: None, until: None });
    let plan = planner(CatchUp::Latest).plan(&paused);
    assert!(plan.rows.is_empty() && plan.watermark.is_none(), "{plan:?}");
    let mut disabled = view(10, 20, &[]);
    disabled.state.enabled = false;
    let plan = planner(CatchUp::Latest).plan(&disabled);
    assert!(plan.rows.is_empty());
    assert_eq!(plan.watermark, Some(at(20)));
}

/// The same view of a job that is paused.
fn paused(view: DecideView, until: Option<DateTime<Utc>>) -> DecideView {
    let mut view = view;
    view.state.pause = Some(Pause { at: view.state.watermark, by: None, reason: None, until });
    view
}

#[test]
fn a_pause_that_is_over_is_one_skipped_range_and_what_is_due_at_its_end_is_owed() {
    let planner = planner(CatchUp::Latest);
    let view = paused(view(10, 20, &[own(13)]), Some(at(15)));
    let plan = planner.plan(&view);
    assert_eq!(words(&plan), ["paused 11-14 (3)"]);
    assert!(plan.ends_pause);
    assert_eq!(plan.watermark, Some(at(15) - TimeDelta::milliseconds(1)));
    let soon = DecideView { until: at(14), ..view };
    let plan = planner.plan(&soon);
    assert!(
        !plan.ends_pause && plan.watermark == Some(at(14)),
        "a pass that ends within the pause leaves it: {plan:?}"
    );
}

#[test]
fn a_pause_of_more_than_a_pass_is_one_row_that_grows() {
    let limit = i64::try_from(PASS).expect("fits");
    let until = 10 + limit + 5;
    let planner = planner(CatchUp::Latest);
    let first = planner.plan(&paused(view(10, until + 1, &[]), Some(at(until))));
    assert_eq!(words(&first), [format!("paused 11-{} ({limit})", 10 + limit)]);
    assert!(!first.ends_pause && first.watermark == Some(at(10 + limit)));
    let mut next = paused(view(10 + limit, until + 1, &[]), Some(at(until)));
    next.newest_range = Some(RangeRow {
        execution_id: ExecutionId(7),
        reason: Reason::Paused,
        missed_from: at(11),
        scheduled_at: at(10 + limit),
    });
    let second = planner.plan(&next);
    assert_eq!(second.grow, Some(GrowRange { execution_id: ExecutionId(7), scheduled_at: at(until - 1), added: 4 }));
    assert!(second.rows.is_empty() && second.ends_pause);
}

/// A job that is due each minute and up to a minute later: of minute 16 at this instant, which is later by some seconds.
fn jittered() -> (Job, DateTime<Utc>) {
    let job = Job::builder("job").every(MINUTE).jitter(MINUTE).catch_up(CatchUp::Skip).run(|| async {});
    let not_before = job.settings().not_before(at(16), InstanceId::random());
    assert!(not_before > at(16) + TimeDelta::seconds(5));
    (job, not_before)
}

#[test]
fn what_jitter_holds_back_is_left_to_a_later_pass() {
    let (job, not_before) = jittered();
    let millisecond = TimeDelta::milliseconds(1);
    let until = |until: DateTime<Utc>| DecideView { until, now: until + TimeDelta::seconds(2), ..view(15, 16, &[]) };
    let early = planner_of(&job).plan(&until(not_before - millisecond));
    assert_eq!((words(&early).len(), early.watermark), (0, Some(at(16) - millisecond)));
    let due = planner_of(&job).plan(&until(not_before));
    assert_eq!((words(&due), due.watermark), (vec!["claim 16".to_owned()], Some(not_before)));
    let PlannedRow::Claim(claim) = &due.rows[0] else { panic!("{due:?}") };
    assert_eq!((claim.scheduled_at, claim.not_before), (at(16), not_before));
    assert_eq!(claim.deadline, not_before + MINUTE);
    let late = planner_of(&job).plan(&until(not_before + MINUTE));
    assert!(words(&late).contains(&"deadline 16-16 (1)".to_owned()), "{:?}", words(&late));
}

#[test]
fn the_catch_up_window_counts_from_what_jitter_makes_of_an_instant() {
    let (job, not_before) = jittered();
    let mut settings = JobSettings::clone(job.settings());
    (settings.catch_up, settings.start_deadline) = (CatchUp::All, Some(Duration::from_secs(1)));
    settings.catch_up_window = Some(MINUTE);
    let planner = OwedPlanner { settings: Arc::new(settings), ..planner_of(&job) };
    let view = |now| DecideView { until: not_before, now, ..view(15, 16, &[]) };
    assert_eq!(words(&planner.plan(&view(not_before + MINUTE))), ["wait 16"]);
    let later = not_before + MINUTE + TimeDelta::milliseconds(1);
    assert_eq!(words(&planner.plan(&view(later))), ["deadline 16-16 (1)"]);
}

#[test]
fn what_jitter_holds_back_is_from_before_a_pause_and_waits_for_its_time() {
    let (job, not_before) = jittered();
    let (mut planner, revision) = stored(Purpose::Pause, "an older text");
    planner.own = Some(Arc::clone(job.settings()));
    let current = JobRevision { fingerprint: job.settings().fingerprint().into(), ..(*revision).clone() };
    let plan = planner.plan(&DecideView { revision: Some(Arc::new(current)), ..view(15, 16, &[]) });
    assert_eq!((words(&plan), plan.watermark), (vec!["on time 16".to_owned()], Some(at(16))));
    let PlannedRow::Waiting { not_before: waits_until, .. } = plan.rows[0] else { panic!("{plan:?}") };
    assert_eq!(waits_until, not_before);
}

/// A planner by a job's stored revision, and the revision, with this trigger.
fn stored(purpose: Purpose, trigger: &str) -> (StoredPlanner, Arc<JobRevision>) {
    let planner = StoredPlanner {
        purpose,
        instance: InstanceId::random(),
        own: None,
        elsewhere: std::collections::HashMap::new(),
    };
    let revision = JobRevision {
        id: RevisionId(1),
        fingerprint: "first".into(),
        trigger: trigger.into(),
        zone: None,
        zone_data: None,
        policies: Arc::new(serde_json::json!({"catch_up": "skip"})),
        enabled: true,
        valid_from: at(0),
        valid_to: None,
    };
    (planner, Arc::new(revision))
}

#[test]
fn who_can_not_claim_decides_by_the_stored_trigger() {
    let (planner, revision) = stored(Purpose::Pause, "every 2m");
    let view = DecideView { revision: Some(revision), ..view(10, 16, &[own(14)]) };
    assert_eq!(words(&planner.plan(&view)), ["on time 16", "deadline 12-12 (1)"]);
}

#[test]
fn what_other_instances_decided_gets_no_row_from_who_can_not_claim() {
    let (mut planner, revision) = stored(Purpose::Pause, "every 2m");
    let elsewhere = Elsewhere { cursor: Some(at(14)), ..Elsewhere::default() };
    planner.elsewhere.insert(JobId::parse("job").expect("a valid id"), elsewhere);
    let view = DecideView { revision: Some(revision), ..view(10, 16, &[]) };
    assert_eq!(words(&planner.plan(&view)), ["on time 16"]);
}

#[test]
fn the_definition_at_hand_counts_where_it_is_the_current_revision() {
    let job = Job::builder("job").every(MINUTE).run(|| async {});
    let (mut planner, revision) = stored(Purpose::Pause, "an older text");
    planner.own = Some(Arc::clone(job.settings()));
    let current = JobRevision { fingerprint: job.settings().fingerprint().into(), ..(*revision).clone() };
    let view = DecideView { revision: Some(Arc::new(current)), ..view(15, 16, &[]) };
    assert_eq!(words(&planner.plan(&view)), ["on time 16"]);
}

#[test]
fn what_was_owed_under_a_trigger_that_can_not_be_read_is_missed_as_a_whole() {
    let (planner, revision) = stored(Purpose::Pause, "each second tuesday");
    let mut unread = DecideView { revision: Some(revision), ..view(10, 16, &[own(16)]) };
    let plan = planner.plan(&unread);
    let PlannedRow::Range { status, reason, missed_from, scheduled_at, missed_count } = plan.rows[0] else {
        panic!("{plan:?}")
    };
    assert_eq!((status, reason, missed_count), (Status::Missed, Reason::Deadline, 0));
    let millisecond = TimeDelta::milliseconds(1);
    assert_eq!((missed_from, scheduled_at), (at(10) + millisecond, at(16) - millisecond));
    assert_eq!(plan.watermark, Some(at(16)));
    unread.state.enabled = false;
    assert!(planner.plan(&unread).rows.is_empty(), "the time in which a job is disabled is never owed");
}

#[test]
fn a_pass_is_cut_at_its_limit_and_the_next_one_has_the_latest() {
    let limit = i64::try_from(PASS).expect("fits");
    let end = 10 + limit + 5;
    let first = planner(CatchUp::Latest).plan(&view(10, end, &[]));
    assert_eq!(first.watermark, Some(at(10 + limit)));
    assert_eq!(words(&first), [format!("deadline 11-{} ({limit})", 10 + limit)]);
    let second = planner(CatchUp::Latest).plan(&view(10 + limit, end, &[]));
    assert_eq!(second.watermark, Some(at(end)));
    assert!(words(&second).contains(&format!("claim {end}")), "{:?}", words(&second));
}

mod coverage {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// R12: every occurrence up to the watermark is decided, once.
        ///
        /// Guarantee 3: recomputing the trigger finds each occurrence in one row of its own or in one range, once.
        #[test]
        fn every_occurrence_is_covered_once(
            decided in proptest::collection::btree_set(1_i64..200, 0..60),
            policy in prop_oneof![Just(CatchUp::Skip), Just(CatchUp::Latest), Just(CatchUp::All)],
            window in 1_u32..50,
            length in 1_i64..200,
        ) {
            let job = Job::builder("job").every(MINUTE).catch_up(policy).catch_up_window(MINUTE * window).run(|| async {});
            let decided: Vec<i64> = decided.into_iter().filter(|minute| *minute <= length).collect();
            let rows: Vec<DecidedRow> = decided.iter().map(|minute| own(*minute)).collect();
            let plan = planner_of(&job).plan(&view(0, length, &rows));
            prop_assert_eq!(plan.watermark, Some(at(length)));
            let minute = |at: DateTime<Utc>| at.timestamp() / 60;
            let mut own_rows = decided;
            let mut ranges = Vec::new();
            for row in &plan.rows {
                match row {
                    PlannedRow::Claim(claim) => own_rows.push(minute(claim.scheduled_at)),
                    PlannedRow::CatchUp { scheduled_at, .. } | PlannedRow::Waiting { scheduled_at, .. } => own_rows.push(minute(*scheduled_at)),
                    PlannedRow::Range { missed_from, scheduled_at, missed_count, .. } => {
                        ranges.push((minute(*missed_from), minute(*scheduled_at), *missed_count));
                    }
                }
            }
            own_rows.sort_unstable();
            let before = own_rows.len();
            own_rows.dedup();
            prop_assert_eq!(before, own_rows.len(), "an occurrence has two rows");
            let mut missed = 0;
            for minute in 1..=length {
                let in_ranges = ranges.iter().filter(|(from, to, _)| (*from..=*to).contains(&minute)).count();
                if own_rows.contains(&minute) {
                    continue;
                }
                prop_assert_eq!(in_ranges, 1, "minute {} of {:?}", minute, ranges);
                missed += 1;
            }
            prop_assert_eq!(missed, ranges.iter().map(|(_, _, count)| count).sum::<u64>());
        }
    }
}
