//! Who did what.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    frequent::{planner, scene, strict},
    scene::{Scene, finish, job},
};
use crate::{
    conformance::StoreHarness,
    duty::plan::Purpose,
    execution::Execution,
    identity::ExecutionId,
    job::OverlapPolicy,
    status::Status,
    store::{
        Action, Actor, AuditEntry, AuditId, AuditQuery, AuditRecord, BackfillAnswer, BackfillRequest, CancelOutcome,
        CancelRequest, ManualOutcome, ManualRequest, PauseOutcome, PauseRequest, ResumeOutcome, ResumeRequest,
        RetryOutcome, RetryRequest, SkipOutcome, SkipRequest,
    },
};

fn ayu() -> Actor {
    Actor::new("ayu").because("the audit of june").from("10.0.3.7")
}

/// All entries, oldest first.
async fn entries(scene: &Scene<'_>) -> Vec<AuditEntry> {
    let query = AuditQuery { limit: 1_000, ..AuditQuery::default() };
    let mut entries = scene.store.audit(&query).await.expect("the store answers");
    entries.reverse();
    entries
}

async fn pause(scene: &Scene<'_>) -> PauseOutcome {
    let request = PauseRequest { job_id: scene.job.clone(), actor: ayu(), until: None };
    scene.store.pause(&request, &planner(Purpose::Pause)).await.expect("the store answers")
}

async fn resume(scene: &Scene<'_>) -> ResumeOutcome {
    let request = ResumeRequest { job_id: scene.job.clone(), actor: Actor::new("budi") };
    scene.store.resume(&request, &planner(Purpose::Resume)).await.expect("the store answers")
}

async fn retry(scene: &Scene<'_>, row: &Execution) -> RetryOutcome {
    let request = RetryRequest { execution_id: row.id, actor: ayu() };
    scene.store.retry(&request).await.expect("the store answers")
}

async fn cancel(scene: &Scene<'_>, row: &Execution) -> CancelOutcome {
    let request = CancelRequest { execution_id: row.id, actor: ayu() };
    scene.store.cancel(&request).await.expect("the store answers")
}

/// A run that has failed.
async fn failed(scene: &Scene<'_>, millis: i64) -> Execution {
    let grant = scene.granted(&scene.claim(millis)).await;
    scene.finished(&finish(grant, Status::Failed)).await;
    scene.row(grant.execution_id).await
}

fn backfill(scene: &Scene<'_>, dry_run: bool) -> BackfillRequest {
    let long_ago = scene.watermark - TimeDelta::days(7);
    let occurrences = vec![long_ago, scene.watermark + TimeDelta::hours(1)];
    BackfillRequest { job_id: scene.job.clone(), occurrences, retries: 0, dry_run, actor: ayu() }
}

pub async fn a_pause_and_its_end_leave_their_entries(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let before = scene.now().await;
    let PauseOutcome::Paused { state, decided } = pause(&scene).await else { panic!("it was not paused") };
    harness.pass(Duration::from_millis(50)).await;
    let ResumeOutcome::Resumed { decided: since, .. } = resume(&scene).await else { panic!("it was not resumed") };
    let entries = entries(&scene).await;
    assert_eq!(entries.len(), 2, "{entries:?}");
    let [paused, resumed] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((&paused.record.actor, paused.record.action), (&ayu(), Action::Pause));
    assert_eq!((paused.record.job_id.as_ref(), paused.record.execution_id), (Some(&scene.job), None));
    assert_eq!(paused.record.before, Some(json!({"paused": false})));
    let after = json!({"paused": true, "until": null, "missed": decided.missed, "waiting": 0});
    assert_eq!((&paused.record.after, &paused.record.refused), (&Some(after), &None));
    assert!(before <= paused.at && paused.at <= resumed.at && resumed.at <= scene.now().await, "by the store's clock");
    assert!(resumed.id > paused.id);
    assert_eq!((&*resumed.record.actor.who, resumed.record.action), ("budi", Action::Resume));
    let pause = state.pause.expect("it was paused");
    let before = json!({
        "paused": true, "since": pause.at, "by": "ayu", "reason": "the audit of june", "until": null,
    });
    assert_eq!(resumed.record.before, Some(before));
    let after = json!({"paused": false, "skipped": since.skipped, "missed": 0});
    assert_eq!(resumed.record.after, Some(after));
}

pub async fn what_is_done_to_executions_leaves_its_entries(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let failed = failed(&scene, 1).await;
    let RetryOutcome::Retried(second) = retry(&scene, &failed).await else { panic!("it was not retried") };
    assert!(matches!(cancel(&scene, &second).await, CancelOutcome::Cancelled(_)));
    let running = scene.granted(&scene.claim(2)).await;
    let running = scene.row(running.execution_id).await;
    assert_eq!(cancel(&scene, &running).await, CancelOutcome::Asked);
    let skip =
        SkipRequest { job_id: scene.job.clone(), scheduled_at: scene.watermark + TimeDelta::hours(1), actor: ayu() };
    let outcome = scene.store.skip(&skip).await.expect("the store answers");
    let SkipOutcome::Skipped(skipped) = outcome else { panic!("{outcome:?}") };
    let answers = scene.store.backfill(&backfill(&scene, false)).await.expect("the store answers");
    let answers = answers.expect("the job is known");
    let BackfillAnswer::Waits { execution_id: Some(filled), .. } = answers[0] else { panic!("{answers:?}") };
    let entries = entries(&scene).await;
    assert!(entries.iter().all(|entry| entry.record.actor == ayu() && entry.record.refused.is_none()), "{entries:?}");
    assert!(entries.iter().all(|entry| entry.record.job_id.as_ref() == Some(&scene.job)), "{entries:?}");
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| {
            let AuditRecord { action, execution_id, before, after, .. } = entry.record.clone();
            (action, execution_id, before.unwrap_or_default(), after.unwrap_or_default())
        })
        .collect();
    let expected = [
        (
            Action::Retry,
            Some(failed.id),
            json!({"status": "failed", "attempt": 1}),
            json!({"execution_id": second.id, "attempt": 2}),
        ),
        (Action::Cancel, Some(second.id), json!({"status": "pending"}), json!({"status": "cancelled"})),
        (Action::Cancel, Some(running.id), json!({"status": "running"}), json!({"cancel_requested": true})),
        (
            Action::Skip,
            Some(skipped.id),
            Value::Null,
            json!({"scheduled_at": skipped.scheduled_at, "status": "skipped"}),
        ),
        (Action::Backfill, None, Value::Null, json!({"asked": 2, "executions": [filled]})),
    ];
    assert_eq!(seen, expected);
}

pub async fn a_request_leaves_an_entry_where_somebody_is_named(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let request = ManualRequest { actor: Some(ayu()), ..scene.manual("key", OverlapPolicy::Allow) };
    let row = scene.accepted(&request).await;
    assert!(matches!(scene.request(&request).await, ManualOutcome::Repeated(_)));
    scene.accepted(&ManualRequest { actor: None, ..scene.manual("nobody", OverlapPolicy::Allow) }).await;
    let entries = entries(&scene).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    let record = AuditRecord::new(&ayu(), Action::Trigger).of_job(&scene.job).of_execution(row.id);
    assert_eq!(entries[0].record, record.changing(Value::Null, json!({"status": "pending"})));
}

pub async fn what_is_refused_or_only_looked_at_leaves_no_entry(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    assert!(matches!(resume(&scene).await, ResumeOutcome::NotPaused(_)));
    pause(&scene).await;
    assert!(matches!(pause(&scene).await, PauseOutcome::AlreadyPaused(_)));
    resume(&scene).await;
    let before = entries(&scene).await;
    assert_eq!(before.len(), 2);
    scene.store.backfill(&backfill(&scene, true)).await.expect("the store answers").expect("the job is known");
    let mut nothing = backfill(&scene, false);
    nothing.occurrences.remove(0);
    scene.store.backfill(&nothing).await.expect("the store answers").expect("the job is known");
    harness.pass(Duration::from_millis(20)).await;
    let grant = scene.granted(&scene.claim_at(scene.now().await)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    let row = scene.row(grant.execution_id).await;
    assert!(matches!(retry(&scene, &row).await, RetryOutcome::NotRetryable { .. }));
    assert_eq!(cancel(&scene, &row).await, CancelOutcome::Ended(Status::Succeeded));
    let due = SkipRequest { job_id: scene.job.clone(), scheduled_at: scene.watermark, actor: ayu() };
    assert_eq!(scene.store.skip(&due).await.expect("the store answers"), SkipOutcome::Due);
    assert_eq!(entries(&scene).await, before);
}

pub async fn a_refusal_is_recorded_when_somebody_says_so(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let record = AuditRecord::new(&ayu(), Action::Pause).of_job(&job("never-announced")).refused("no such job");
    let id = scene.store.record(&record).await.expect("the store answers");
    let entries = entries(&scene).await;
    assert_eq!((entries.len(), entries[0].id), (1, id));
    assert_eq!(entries[0].record, record);
    assert_eq!(entries[0].record.refused.as_deref(), Some("no such job"));
}

pub async fn the_audit_is_read_newest_first_page_by_page(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for number in 0..5 {
        let record = AuditRecord::new(&ayu(), Action::Cancel).refused(number.to_string());
        scene.store.record(&record).await.expect("the store answers");
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let query = AuditQuery { before, limit: 2, ..AuditQuery::default() };
        let page = scene.store.audit(&query).await.expect("the store answers");
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        before = Some(last.id);
        seen.extend(page.iter().filter_map(|entry| entry.record.refused.clone()));
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);
    let none = AuditQuery { before: Some(AuditId(0)), limit: 2, ..AuditQuery::default() };
    assert_eq!(scene.store.audit(&none).await.expect("the store answers"), []);
}

pub async fn the_audit_is_read_of_one_job(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    for (scene, number) in [(&scene, 1), (&beside, 2), (&scene, 3)] {
        let record = AuditRecord::new(&ayu(), Action::Skip).of_job(&scene.job).refused(number.to_string());
        scene.store.record(&record).await.expect("the store answers");
    }
    let query = AuditQuery { job_id: Some(scene.job.clone()), limit: 10, ..AuditQuery::default() };
    let entries = scene.store.audit(&query).await.expect("the store answers");
    let seen: Vec<_> = entries.iter().filter_map(|entry| entry.record.refused.as_deref()).collect();
    assert_eq!(seen, ["3", "1"]);
}

pub async fn the_audit_is_read_by_what_its_entries_are_of(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let record = |action, who: &str| AuditRecord::new(&Actor::new(who), action).refused("no");
    let old = scene.store.record(&record(Action::Pause, "ayu")).await.expect("the store answers");
    harness.pass(Duration::from_millis(50)).await;
    let then = scene.now().await;
    let mut ids = Vec::new();
    for record in [
        record(Action::Cancel, "budi").of_job(&scene.job).of_execution(ExecutionId(7)),
        record(Action::Retry, "ayu").of_job(&beside.job),
        record(Action::Cancel, "ayu"),
    ] {
        ids.push(scene.store.record(&record).await.expect("the store answers"));
    }
    let all = AuditQuery { limit: 10, ..AuditQuery::default() };
    for (query, expected) in [
        (AuditQuery { since: Some(then), ..all.clone() }, vec![ids[2], ids[1], ids[0]]),
        (AuditQuery { until: Some(then), ..all.clone() }, vec![old]),
        (AuditQuery { who: Some("ayu".to_owned()), ..all.clone() }, vec![ids[2], ids[1], old]),
        (AuditQuery { actions: vec![Action::Cancel, Action::Pause], ..all.clone() }, vec![ids[2], ids[0], old]),
        (AuditQuery { execution_id: Some(ExecutionId(7)), ..all.clone() }, vec![ids[0]]),
        (AuditQuery { among: Some(vec![beside.job.clone(), scene.job.clone()]), ..all.clone() }, vec![ids[1], ids[0]]),
        (AuditQuery { among: Some(Vec::new()), ..all.clone() }, vec![]),
    ] {
        let entries = scene.store.audit(&query).await.expect("the store answers");
        assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), expected, "{query:?}");
    }
}

pub async fn an_entry_may_hold_any_text(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for text in ["'; DROP TABLE job_audit; --", "ünï\ncode", &"x".repeat(10_000)] {
        let actor = Actor::new(text).because(text).from(text);
        let record = AuditRecord::new(&actor, Action::Retry).refused(text);
        scene.store.record(&record).await.expect("the store answers");
        assert_eq!(entries(&scene).await.last().map(|entry| &entry.record), Some(&record));
    }
    // Of what no store can keep, the rest is kept.
    let record = AuditRecord::new(&Actor::new("nul\0l"), Action::Retry);
    scene.store.record(&record).await.expect("the store answers");
    assert!(entries(&scene).await.last().expect("it is there").record.actor.who.starts_with("nul"));
}
