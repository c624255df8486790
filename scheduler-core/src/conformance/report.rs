//! What executions say while they run.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::scene::{Scene, finish};
use crate::{
    conformance::StoreHarness,
    execution::Progress,
    identity::ExecutionId,
    logs::{FIRST_LINES, LogLevel},
    status::Status,
    store::{
        DecideRequest, DecideView, DecisionPlan, LogLine, LogPage, LogQuery, LogStart, Planner, PruneRequest, Report,
    },
};

/// A line in the place of its number.
fn line(number: u64) -> LogLine {
    LogLine {
        place: usize::try_from(number - 1).expect("few lines"),
        number,
        at: DateTime::from_timestamp_millis(1_800_000_000_000).expect("in range"),
        level: LogLevel::Info,
        target: "hris::attendance".to_owned(),
        message: format!("line {number}"),
    }
}

fn report(execution_id: ExecutionId, lines: Vec<LogLine>) -> Report {
    let logged = lines.iter().map(|line| line.number).max().unwrap_or(0);
    Report { execution_id, logged, lines, progress: None }
}

fn progress(execution_id: ExecutionId, done: u64, total: u64) -> Report {
    Report { progress: Some(Progress::new(done, total)), ..report(execution_id, Vec::new()) }
}

async fn keep(scene: &Scene<'_>, reports: &[Report]) {
    scene.store.report(reports).await.expect("the store answers");
}

async fn logs(scene: &Scene<'_>, execution_id: ExecutionId, start: LogStart, limit: usize) -> LogPage {
    logs_of(scene, LogQuery { execution_id, start, level: LogLevel::Trace, limit }).await
}

async fn logs_of(scene: &Scene<'_>, query: LogQuery) -> LogPage {
    scene.store.logs(&query).await.expect("the store answers")
}

fn numbers(page: &LogPage) -> Vec<u64> {
    page.lines.iter().map(|line| line.number).collect()
}

/// A run, and what another run beside it says.
async fn running(scene: &Scene<'_>) -> ExecutionId {
    let beside = scene.beside("beside").await;
    let other = beside.granted(&beside.claim(1)).await.execution_id;
    keep(scene, &[Report { progress: Some(Progress::new(9, 9)), ..report(other, vec![line(1)]) }]).await;
    scene.granted(&scene.claim(1)).await.execution_id
}

pub async fn lines_are_read_as_they_were_written(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = running(&scene).await;
    let lines: Vec<LogLine> = LogLevel::ALL
        .iter()
        .zip(1..)
        .map(|(level, number)| LogLine { level: *level, at: line(1).at + TimeDelta::milliseconds(7), ..line(number) })
        .collect();
    keep(&scene, &[report(id, lines.clone())]).await;
    assert_eq!(logs(&scene, id, LogStart::After(0), 100).await, LogPage::new(lines, 5, 5));
    assert_eq!(logs(&scene, ExecutionId(i64::MAX), LogStart::After(0), 100).await, LogPage::default());
}

pub async fn lines_are_read_by_number_from_either_end(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = running(&scene).await;
    keep(&scene, &[report(id, (1..=4).rev().map(line).collect())]).await;
    keep(&scene, &[report(id, (5..=9).map(line).collect())]).await;
    assert_eq!(numbers(&logs(&scene, id, LogStart::After(0), 3).await), [1, 2, 3]);
    assert_eq!(numbers(&logs(&scene, id, LogStart::After(3), 3).await), [4, 5, 6]);
    assert_eq!(numbers(&logs(&scene, id, LogStart::After(8), 3).await), [9]);
    assert!(numbers(&logs(&scene, id, LogStart::After(9), 3).await).is_empty());
    assert!(numbers(&logs(&scene, id, LogStart::After(u64::MAX), 3).await).is_empty());
    assert_eq!(numbers(&logs(&scene, id, LogStart::Last, 3).await), [7, 8, 9]);
    assert_eq!(logs(&scene, id, LogStart::Last, 100).await.lines.len(), 9);
}

pub async fn lines_are_read_of_a_level_and_more_severe_ones(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = running(&scene).await;
    let levels = LogLevel::ALL.iter().zip(1..);
    keep(&scene, &[report(id, levels.map(|(level, number)| LogLine { level: *level, ..line(number) }).collect())])
        .await;
    for (level, expected) in LogLevel::ALL.iter().zip(1..) {
        let page =
            logs_of(&scene, LogQuery { execution_id: id, start: LogStart::Last, level: *level, limit: 100 }).await;
        assert_eq!(numbers(&page), (1..=expected).collect::<Vec<_>>(), "{level}");
        assert_eq!((page.logged, page.kept), (5, 5), "of whatever level");
    }
}

pub async fn a_later_line_takes_the_place_of_an_earlier_one_and_not_the_other_way(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = running(&scene).await;
    let at_last = |number| LogLine { place: FIRST_LINES, ..line(number) };
    keep(&scene, &[report(id, vec![line(1), at_last(950)])]).await;
    keep(&scene, &[report(id, vec![at_last(1_050)])]).await;
    keep(&scene, &[report(id, vec![at_last(950), at_last(1_000)])]).await;
    let page = logs(&scene, id, LogStart::After(0), 100).await;
    assert_eq!(numbers(&page), [1, 1_050]);
    assert_eq!((page.logged, page.kept, page.dropped()), (1_050, 2, 1_048));
}

pub async fn a_report_that_is_repeated_is_there_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = running(&scene).await;
    let said = [Report { progress: Some(Progress::new(1, 2)), ..report(id, vec![line(1), line(2)]) }];
    keep(&scene, &said).await;
    keep(&scene, &said).await;
    assert_eq!(logs(&scene, id, LogStart::After(0), 100).await, LogPage::new(vec![line(1), line(2)], 2, 2));
    assert_eq!(scene.row(id).await.progress, Some(Progress::new(1, 2)));
}

pub async fn the_last_progress_is_what_is_read_by_every_way(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = running(&scene).await;
    assert_eq!(scene.row(id).await.progress, None);
    keep(&scene, &[progress(id, 7, 10)]).await;
    keep(&scene, &[progress(id, 2, u64::MAX)]).await;
    // One without says nothing of it.
    keep(&scene, &[report(id, vec![line(1)])]).await;
    let expected = Some(Progress::new(2, u64::MAX));
    assert_eq!(scene.row(id).await.progress, expected);
    assert_eq!(scene.rows().await[0].progress, expected);
    assert_eq!(scene.newest(scene.at(1)).await.expect("a row").progress, expected);
    let latest = scene.store.latest(std::slice::from_ref(&scene.job)).await.expect("the store answers");
    assert_eq!(latest[0].progress, expected);
}

pub async fn an_execution_keeps_what_it_said_when_it_ends(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let id = grant.execution_id;
    keep(&scene, &[Report { progress: Some(Progress::new(1, 2)), ..report(id, vec![line(1)]) }]).await;
    let before = scene.row(id).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    // Its last words come as it ends, and may come after.
    keep(&scene, &[Report { progress: Some(Progress::new(2, 2)), ..report(id, vec![line(2)]) }]).await;
    let row = scene.row(id).await;
    assert_eq!((before.status, row.status), (Status::Running, Status::Succeeded));
    assert_eq!(row.progress, Some(Progress::new(2, 2)));
    assert_eq!(numbers(&logs(&scene, id, LogStart::Last, 100).await), [1, 2]);
}

pub async fn any_text_is_kept_but_for_what_no_store_takes(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = running(&scene).await;
    let message = "<b>\u{202e}naik\n\t' \"; DROP TABLE execution_logs; -- ü 👷".to_owned();
    let line = LogLine { message, target: String::new(), ..line(1) };
    keep(&scene, &[report(id, vec![line.clone()])]).await;
    assert_eq!(logs(&scene, id, LogStart::After(0), 1).await.lines, std::slice::from_ref(&line));
    let nul = LogLine { message: "a\0b".to_owned(), place: 1, number: 2, ..line };
    keep(&scene, &[report(id, vec![nul])]).await;
    let page = logs(&scene, id, LogStart::After(1), 1).await;
    assert!(page.lines[0].message.starts_with('a') && page.lines[0].message.ends_with('b'), "{page:?}");
}

pub async fn what_is_said_of_no_row_is_left_out_and_the_rest_is_kept(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = running(&scene).await;
    let nobody = ExecutionId(id.0 + 1_000_000);
    keep(&scene, &[report(nobody, vec![line(1)]), report(id, vec![line(1)]), progress(ExecutionId(-1), 1, 1)]).await;
    keep(&scene, &[]).await;
    assert_eq!(logs(&scene, nobody, LogStart::After(0), 100).await, LogPage::default());
    assert_eq!(numbers(&logs(&scene, id, LogStart::After(0), 100).await), [1]);
}

/// Moves the watermark to an instant, and decides nothing.
#[derive(Debug)]
struct MoveTo(DateTime<Utc>);

impl Planner for MoveTo {
    fn plan(&self, _: &DecideView) -> DecisionPlan {
        DecisionPlan { watermark: Some(self.0), ..DecisionPlan::default() }
    }
}

/// R21.
pub async fn what_an_execution_said_is_pruned_with_it(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let mut ids = Vec::new();
    for millis in 1..=2 {
        let grant = scene.granted(&scene.claim(millis)).await;
        let id = grant.execution_id;
        keep(&scene, &[Report { progress: Some(Progress::new(1, 2)), ..report(id, vec![line(1)]) }]).await;
        scene.finished(&finish(grant, Status::Succeeded)).await;
        ids.push(id);
    }
    let (job_id, revision, instance) = (scene.job.clone(), scene.revision, scene.instance);
    let decide = DecideRequest { job_id, revision, instance, lag: Duration::ZERO, limit: 100 };
    scene.decide(&decide, &MoveTo(scene.at(10))).await.expect("the store answers").expect("the job is free");
    let before = scene.now().await + TimeDelta::hours(1);
    let request = PruneRequest { job_id: Some(scene.job.clone()), before, limit: 1 };
    assert_eq!(scene.store.prune(&request).await.expect("the store answers").rows, 1);
    assert_eq!(logs(&scene, ids[0], LogStart::After(0), 100).await, LogPage::default());
    assert_eq!(logs(&scene, ids[1], LogStart::After(0), 100).await.kept, 1);
    // What comes after is of no row.
    keep(&scene, &[report(ids[0], vec![line(2)])]).await;
    assert_eq!(logs(&scene, ids[0], LogStart::After(0), 100).await, LogPage::default());
}
