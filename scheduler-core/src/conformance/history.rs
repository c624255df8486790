//! Reads of what ran.

use std::{collections::HashSet, time::Duration};

use chrono::TimeDelta;

use super::scene::{Scene, finish, job};
use crate::{
    conformance::StoreHarness,
    execution::Execution,
    identity::{ExecutionId, InstanceId, JobId},
    job::OverlapPolicy,
    occurrence::{OccurrenceKey, Origin},
    status::Status,
    store::{
        Actor, Claim, ExecutionFilter, ExecutionPage, ExecutionQuery, ManualRequest, PageStart, Summary, SummaryQuery,
    },
};

fn of(scene: &Scene<'_>) -> ExecutionFilter {
    ExecutionFilter { job_id: Some(scene.job.clone()), ..ExecutionFilter::default() }
}

async fn page(scene: &Scene<'_>, filter: ExecutionFilter, start: PageStart, limit: usize) -> ExecutionPage {
    let query = ExecutionQuery { filter, start, limit, count: true };
    scene.store.executions(&query).await.expect("the store answers")
}

fn ids(rows: &[Execution]) -> Vec<ExecutionId> {
    rows.iter().map(|row| row.id).collect()
}

/// Claims and finishes occurrences; their rows, newest first.
async fn ran(scene: &Scene<'_>, millis: std::ops::RangeInclusive<i64>) -> Vec<ExecutionId> {
    let mut rows = Vec::new();
    for millis in millis {
        let grant = scene.granted(&scene.claim(millis)).await;
        scene.finished(&finish(grant, Status::Succeeded)).await;
        rows.insert(0, grant.execution_id);
    }
    rows
}

pub async fn an_execution_is_read_by_its_id(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let rows = ran(&scene, 1..=2).await;
    assert_eq!(scene.row(rows[1]).await.scheduled_at, scene.at(1));
    assert_eq!(scene.store.execution(ExecutionId(i64::MAX)).await.expect("the store answers"), None);
    assert_eq!(scene.store.execution(ExecutionId(-1)).await.expect("the store answers"), None);
}

pub async fn ids_grow(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let rows = ran(&scene, 1..=5).await;
    assert!(rows.is_sorted_by(|newer, older| newer > older), "{rows:?}");
}

pub async fn the_newest_attempt_of_an_occurrence_is_found(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    assert_eq!(scene.newest(scene.at(1)).await.expect("it has a row").id, grant.execution_id);
    let retry = scene.retried(grant, Duration::ZERO).await;
    let newest = scene.newest(scene.at(1)).await.expect("it has rows");
    assert_eq!((newest.id, newest.attempt), (retry, 2));
    assert_eq!(scene.newest(scene.at(2)).await, None);
    let elsewhere = scene.store.newest_attempt(&job("another"), &OccurrenceKey::scheduled(scene.at(1))).await;
    assert_eq!(elsewhere.expect("the store answers"), None);
}

pub async fn a_page_is_newest_first(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let rows = ran(&scene, 1..=5).await;
    let first = page(&scene, of(&scene), PageStart::Offset(0), 3).await;
    assert_eq!(ids(&first.executions), rows[..3]);
    assert_eq!(first.total, Some(5));
    let second = page(&scene, of(&scene), PageStart::Offset(3), 3).await;
    assert_eq!(ids(&second.executions), rows[3..]);
    assert_eq!(second.total, Some(5));
}

pub async fn a_page_beyond_the_end_is_empty_and_counted(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let rows = ran(&scene, 1..=2).await;
    assert_eq!(page(&scene, of(&scene), PageStart::Offset(100), 3).await, ExecutionPage::new(vec![], Some(2)));
    let end = page(&scene, of(&scene), PageStart::Before(rows[1]), 3).await;
    assert_eq!(end.executions, []);
}

pub async fn a_page_is_counted_only_where_asked(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    ran(&scene, 1..=2).await;
    let query = ExecutionQuery { filter: of(&scene), start: PageStart::Offset(0), limit: 10, count: false };
    let uncounted = scene.store.executions(&query).await.expect("the store answers");
    assert_eq!((uncounted.executions.len(), uncounted.total), (2, None));
}

pub async fn a_cursors_page_begins_below_its_row(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let rows = ran(&scene, 1..=5).await;
    let next = page(&scene, of(&scene), PageStart::Before(rows[1]), 2).await;
    assert_eq!(ids(&next.executions), rows[2..4]);
    assert_eq!(next.total, Some(5), "the count is of the filter");
    let all = page(&scene, of(&scene), PageStart::Before(ExecutionId(i64::MAX)), 10).await;
    assert_eq!(ids(&all.executions), rows);
}

pub async fn a_cursors_pages_never_repeat_or_skip_while_rows_are_added(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let rows = ran(&scene, 1..=7).await;
    let (mut seen, mut start, mut added) = (Vec::new(), PageStart::Offset(0), 8);
    loop {
        let next = page(&scene, of(&scene), start, 2).await.executions;
        let Some(last) = next.last() else { break };
        start = PageStart::Before(last.id);
        seen.extend(ids(&next));
        ran(&scene, added..=added + 2).await;
        added += 3;
    }
    assert_eq!(seen, rows, "each row that was there at the start, once, in order");
}

pub async fn a_filter_by_job_leaves_others_out(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let rows = ran(&scene, 1..=2).await;
    let others = ran(&beside, 1..=2).await;
    assert_eq!(ids(&page(&scene, of(&scene), PageStart::Offset(0), 10).await.executions), rows);
    assert_eq!(ids(&page(&scene, of(&beside), PageStart::Offset(0), 10).await.executions), others);
    let all = page(&scene, ExecutionFilter::default(), PageStart::Offset(0), 10).await;
    assert_eq!(ids(&all.executions), [&others[..], &rows[..]].concat());
    let unknown = ExecutionFilter { job_id: Some(job("never-announced")), ..ExecutionFilter::default() };
    assert_eq!(page(&scene, unknown, PageStart::Offset(0), 10).await, ExecutionPage::new(vec![], Some(0)));
}

pub async fn a_filter_by_status_leaves_others_out(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let succeeded = ran(&scene, 1..=2).await;
    let grant = scene.granted(&scene.claim(3)).await;
    let pending = scene.retried(grant, Duration::from_secs(60)).await;
    scene.try_claim(&scene.claim(4)).await;
    let with = |statuses: &[Status]| ExecutionFilter { statuses: statuses.to_vec(), ..of(&scene) };
    for (statuses, expected) in [
        (&[Status::Succeeded][..], succeeded.clone()),
        (&[Status::Pending], vec![pending]),
        (&[Status::Failed, Status::Succeeded], [&[grant.execution_id], &succeeded[..]].concat()),
        (&[Status::Running], vec![]),
    ] {
        let found = page(&scene, with(statuses), PageStart::Offset(0), 10).await;
        assert_eq!(ids(&found.executions), expected, "{statuses:?}");
        assert_eq!(found.total, Some(expected.len() as u64), "{statuses:?}");
    }
    let rest = page(&scene, with(&[Status::Succeeded]), PageStart::Before(succeeded[0]), 10).await;
    assert_eq!(ids(&rest.executions), succeeded[1..]);
    assert_eq!(page(&scene, with(&[]), PageStart::Offset(0), 10).await.total, Some(5), "all of them");
}

pub async fn a_filter_by_time_leaves_older_rows_out(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    ran(&scene, 1..=2).await;
    harness.pass(Duration::from_millis(50)).await;
    let since = scene.now().await;
    let rows = ran(&scene, 3..=4).await;
    let recent = ExecutionFilter { created_since: Some(since), ..of(&scene) };
    assert_eq!(ids(&page(&scene, recent.clone(), PageStart::Offset(0), 10).await.executions), rows);
    let rest = page(&scene, recent, PageStart::Before(rows[0]), 10).await;
    assert_eq!((ids(&rest.executions), rest.total), (rows[1..].to_vec(), Some(2)));
}

pub async fn a_filter_by_end_and_by_jobs_leaves_others_out(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (beside, third) = (scene.beside("beside").await, scene.beside("third").await);
    let early = ran(&scene, 1..=1).await;
    harness.pass(Duration::from_millis(50)).await;
    let until = scene.now().await;
    let (rows, others, _) = (ran(&scene, 2..=3).await, ran(&beside, 1..=1).await, ran(&third, 1..=1).await);
    let before = ExecutionFilter { created_before: Some(until), ..of(&scene) };
    assert_eq!(ids(&page(&scene, before, PageStart::Offset(0), 10).await.executions), early);
    let among = Some(vec![scene.job.clone(), beside.job.clone()]);
    let filter = ExecutionFilter { among, created_since: Some(until), ..ExecutionFilter::default() };
    let found = page(&scene, filter, PageStart::Offset(0), 10).await;
    assert_eq!((ids(&found.executions), found.total), ([&others[..], &rows[..]].concat(), Some(3)));
    let none = ExecutionFilter { among: Some(Vec::new()), ..ExecutionFilter::default() };
    assert_eq!(page(&scene, none, PageStart::Offset(0), 10).await, ExecutionPage::new(vec![], Some(0)));
}

pub async fn a_filter_by_origin_instance_and_caller_leaves_others_out(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let scheduled = ran(&scene, 1..=2).await;
    let ayu = ManualRequest { actor: Some(Actor::new("ayu")), ..scene.manual("one", OverlapPolicy::Allow) };
    let by_ayu = scene.accepted(&ayu).await.id;
    let by_nobody =
        scene.accepted(&ManualRequest { actor: None, ..scene.manual("two", OverlapPolicy::Allow) }).await.id;
    let instance = scene.row(scheduled[0]).await.instance.expect("it ran somewhere");
    for (filter, expected) in [
        (ExecutionFilter { origins: vec![Origin::Manual], ..of(&scene) }, vec![by_nobody, by_ayu]),
        (ExecutionFilter { origins: vec![Origin::Schedule, Origin::Backfill], ..of(&scene) }, scheduled.clone()),
        (ExecutionFilter { triggered_by: Some("ayu".to_owned()), ..of(&scene) }, vec![by_ayu]),
        (ExecutionFilter { triggered_by: Some("a\0yu".to_owned()), ..of(&scene) }, vec![]),
        (ExecutionFilter { instance: Some(instance), ..of(&scene) }, scheduled.clone()),
        (ExecutionFilter { instance: Some(InstanceId::random()), ..of(&scene) }, vec![]),
    ] {
        let found = page(&scene, filter.clone(), PageStart::Offset(0), 10).await;
        assert_eq!(
            (ids(&found.executions), found.total),
            (expected.clone(), Some(expected.len() as u64)),
            "{filter:?}"
        );
    }
}

pub async fn what_was_made_started_or_ended_since_an_instant_has_changed(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let old = ran(&scene, 1..=1).await;
    let ends = scene.granted(&scene.claim(2)).await;
    harness.pass(Duration::from_millis(50)).await;
    let since = scene.now().await;
    let changed = ExecutionFilter { changed_since: Some(since), ..of(&scene) };
    assert_eq!(ids(&page(&scene, changed.clone(), PageStart::Offset(0), 10).await.executions), []);
    scene.finished(&finish(ends, Status::Failed)).await;
    let starts = scene.granted(&scene.claim(3)).await;
    let found = page(&scene, changed.clone(), PageStart::Offset(0), 10).await;
    assert_eq!(ids(&found.executions), [starts.execution_id, ends.execution_id], "not {old:?}");
    let first = page(&scene, changed, PageStart::Offset(0), 1).await;
    assert_eq!((ids(&first.executions), first.total), (vec![starts.execution_id], Some(2)));
}

pub async fn the_latest_of_each_job_is_its_newest_row_that_has_started(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (beside, idle) = (scene.beside("beside").await, scene.beside("idle").await);
    ran(&scene, 1..=2).await;
    let running = scene.granted(&scene.claim(3)).await;
    scene.try_claim(&scene.claim(4)).await;
    let ended = ran(&beside, 1..=1).await;
    let retried = beside.granted(&beside.claim(2)).await;
    beside.retried(retried, Duration::from_secs(60)).await;
    let jobs: Vec<JobId> = [&scene, &beside, &idle].map(|scene| scene.job.clone()).to_vec();
    let latest = scene.store.latest(&jobs).await.expect("the store answers");
    let found: HashSet<_> = latest.iter().map(|row| (row.job_id.clone(), row.id)).collect();
    let expected =
        HashSet::from([(scene.job.clone(), running.execution_id), (beside.job.clone(), retried.execution_id)]);
    assert_eq!(found, expected, "neither the skipped one, nor the waiting one, nor {ended:?}");
    assert_eq!(latest.len(), 2);
    assert_eq!(scene.store.latest(&[]).await.expect("the store answers"), []);
    assert_eq!(scene.store.latest(&[job("never-announced")]).await.expect("the store answers"), []);
}

pub async fn the_recent_of_each_job_are_its_newest_rows_without_what_may_be_long(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (beside, idle) = (scene.beside("beside").await, scene.beside("idle").await);
    let rows = ran(&scene, 1..=3).await;
    let others = ran(&beside, 1..=1).await;
    let jobs: Vec<JobId> = [&beside, &idle, &scene].map(|scene| scene.job.clone()).to_vec();
    let recent = scene.store.recent(&jobs, 2).await.expect("the store answers");
    assert_eq!(ids(&recent), [&others[..], &rows[..2]].concat(), "by job as they were named, newest first");
    let whole = scene.row(rows[0]).await;
    assert_eq!(recent[1], whole.shortened());
    assert_eq!(scene.store.recent(&[], 2).await.expect("the store answers"), []);
    assert_eq!(scene.store.recent(&jobs, 0).await.expect("the store answers"), []);
}

pub async fn the_attempts_at_an_occurrence_are_its_own_newest_first(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    ran(&beside, 1..=1).await;
    ran(&scene, 2..=2).await;
    let grant = scene.granted(&scene.claim(3)).await;
    let retry = scene.retried(grant, Duration::ZERO).await;
    let key = OccurrenceKey::scheduled(scene.at(3));
    let attempts = scene.store.attempts(&scene.job, &key, 10).await.expect("the store answers");
    assert_eq!(ids(&attempts), [retry, grant.execution_id]);
    assert_eq!(attempts[1], scene.row(grant.execution_id).await.shortened());
    let newest = scene.store.attempts(&scene.job, &key, 1).await.expect("the store answers");
    assert_eq!(ids(&newest), [retry]);
    assert_eq!(scene.store.attempts(&beside.job, &key, 10).await.expect("the store answers"), []);
}

pub async fn a_summary_is_of_the_newest_rows_and_of_some_jobs_alone(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let long_ago = scene.now().await - TimeDelta::days(7);
    ran(&beside, 1..=3).await;
    harness.pass(Duration::from_millis(50)).await;
    let since = scene.now().await;
    ran(&scene, 1..=2).await;
    let grant = scene.granted(&scene.claim(3)).await;
    scene.retried(grant, Duration::from_secs(60)).await;
    ran(&beside, 4..=4).await;
    let all = SummaryQuery { among: None, since: long_ago, most: 100 };
    for (query, counts) in [
        (all.clone(), (8, true, 7, 6)),
        (SummaryQuery { since, ..all.clone() }, (5, true, 4, 3)),
        (SummaryQuery { among: Some(vec![scene.job.clone()]), ..all.clone() }, (8, true, 3, 2)),
        (SummaryQuery { among: Some(Vec::new()), ..all.clone() }, (8, true, 0, 0)),
        (SummaryQuery { most: 3, ..all.clone() }, (3, false, 2, 1)),
        (SummaryQuery { most: 0, ..all.clone() }, (0, false, 0, 0)),
    ] {
        let summary = scene.store.summary(&query).await.expect("the store answers");
        assert_eq!((summary.rows, summary.is_whole, summary.ended, summary.succeeded), counts, "{query:?}");
        let filter = ExecutionFilter { created_since: Some(query.since), ..ExecutionFilter::default() };
        let rows = page(&scene, filter, PageStart::Offset(0), query.most).await.executions;
        // A server counts time in microseconds, and adds in another order.
        let lag = Summary::of(&query, &rows).start_lag_p95.zip(summary.start_lag_p95);
        assert!(lag.is_none_or(|(expected, lag)| (expected - lag).abs() < 1e-5), "{lag:?} {query:?}");
        assert_eq!(summary.start_lag_p95.is_some(), counts.2 > 0, "{query:?}");
    }
}

pub async fn a_row_reads_the_same_by_every_way(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&Claim { max_attempts: 1, ..scene.claim(1) }).await;
    scene.finished(&finish(grant, Status::TimedOut)).await;
    let row = scene.row(grant.execution_id).await;
    assert_eq!(scene.newest(scene.at(1)).await, Some(row.clone()));
    assert_eq!(page(&scene, of(&scene), PageStart::Offset(0), 1).await.executions, std::slice::from_ref(&row));
    assert_eq!(scene.store.latest(std::slice::from_ref(&scene.job)).await.expect("the store answers"), [row]);
}
