//! A job that is due each 10 ms, for cases in which the store asks what a stored trigger owes.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use scheduler_cron::Trigger;
use serde_json::{Value, json};

use super::scene::{Scene, announcement, job};
use crate::{
    conformance::StoreHarness,
    duty::plan::{Purpose, StoredPlanner},
    execution::Execution,
    identity::InstanceId,
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::Announcement,
};

/// How often the cases' job is due.
pub(crate) const PERIOD: Duration = Duration::from_millis(10);

/// Starts however late.
pub(crate) fn patient() -> Value {
    json!({"start_deadline_ms": 600_000})
}

/// Starts on time or never.
pub(crate) fn strict() -> Value {
    json!({"start_deadline_ms": 1, "catch_up": "skip"})
}

pub(crate) fn frequent(policies: Value) -> Announcement {
    Announcement { trigger: "every 10ms".to_owned(), policies, ..announcement(&job("frequent"), "first") }
}

/// A job that is due each 10 ms, announced 200 ms ago.
pub(crate) async fn scene(harness: &dyn StoreHarness, policies: Value) -> Scene<'_> {
    Scene::new(harness).await.beside_as(frequent(policies)).await
}

/// The job's occurrences, the first instant excluded.
pub(crate) fn occurrences(from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    Trigger::every(PERIOD).expect("a period").occurrences_between(from, to).collect()
}

pub(crate) fn planner(purpose: Purpose) -> StoredPlanner {
    StoredPlanner { purpose, instance: InstanceId::random(), own: None, elsewhere: HashMap::new() }
}

/// The job's range rows, oldest first.
pub(crate) async fn ranges(scene: &Scene<'_>) -> Vec<Execution> {
    scene.rows().await.into_iter().filter(|row| row.missed_from.is_some()).collect()
}

/// That a row is the range of all occurrences after `from`, up to `to`.
pub(crate) fn assert_covers(
    row: &Execution,
    (status, reason): (Status, Reason),
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) {
    let covered = occurrences(from, to);
    let (first, last) = (covered[0], covered[covered.len() - 1]);
    assert_eq!((row.status, row.reason, row.origin), (status, Some(reason), Origin::Schedule));
    assert_eq!((row.missed_from, row.scheduled_at), (Some(first), last));
    assert_eq!((row.missed_count, &row.occurrence), (Some(covered.len() as u64), &OccurrenceKey::scheduled(last)));
    assert_eq!((row.started_at, row.holds_key), (None, false));
}
