//! Versions of a job that replace each other (R22).

use scheduler_core::{
    job::{CatchUp, Job},
    occurrence::{OccurrenceKey, Origin},
    store::ControlStore as _,
};

use crate::rig::{MINUTE, Rig, SECOND, Starts, id, start, telling, words};

fn version(cron: &str) -> (Job, Starts) {
    telling(Job::builder("job").cron(cron).catch_up(CatchUp::Skip))
}

/// R22: what is owed at a switch is the old revision's.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_decides_what_was_owed_by_the_trigger_of_the_old_one() {
    let rig = Rig::new();
    let (old, mut starts) = version("* * * * *");
    let scheduler = rig.run([old]).await;
    rig.pass(MINUTE).await;
    starts.next().await;
    rig.pass(SECOND * 5).await;
    rig.stop(scheduler).await;
    rig.clock.advance(MINUTE * 10 + SECOND * 30);
    let (new, mut starts) = version("0 0 1 1 *");
    let scheduler = rig.run([new]).await;
    rig.pass(SECOND * 5).await;
    // 00:11 is within its deadline: it runs, though the new version is due once a year.
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(start() + MINUTE * 11));
    let found = rig.rows(scheduler.handle(), "job", 3).await;
    assert_eq!(words(&found), ["succeeded #1", "succeeded #1", "missed (deadline) #1"]);
    assert_eq!(found[1].origin, Origin::Schedule);
    assert_eq!((found[2].missed_from, found[2].scheduled_at), (Some(start() + MINUTE * 2), start() + MINUTE * 10));
    rig.stop(scheduler).await;
}

/// R22: a roll-back waits for a whole lease.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_version_comes_back_once_it_was_healthy_for_a_whole_lease() {
    let rig = Rig::new();
    let (old, mut starts) = version("* * * * *");
    rig.stop(rig.run([old.clone()]).await).await;
    rig.stop(rig.run([version("0 0 1 1 *").0]).await).await;
    let scheduler = rig.run([old]).await;
    let current = async || rig.store.revisions(&id("job")).await.expect("in memory")[0].trigger.to_string();
    rig.pass(SECOND * 25).await;
    assert_eq!(current().await, "0 0 1 1 * UTC", "another's silence may be the store's");
    rig.pass(MINUTE * 2).await;
    assert_eq!(current().await, "* * * * * UTC");
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(start() + MINUTE));
    rig.stop(scheduler).await;
}

/// R22: the new build's schedule alone is followed, whatever the order in which the instances came and however long the
/// old one stays.
#[tokio::test(flavor = "multi_thread")]
async fn two_builds_with_different_schedules_follow_the_newer_one() {
    let rig = Rig::shared();
    let (old, mut old_starts) = version("* * * * *");
    let (new, mut new_starts) = version("30 * * * *");
    let first = rig.run([old.clone()]).await;
    rig.pass(MINUTE + SECOND).await;
    assert_eq!(old_starts.next().await, OccurrenceKey::scheduled(start() + MINUTE));
    let second = rig.run([new]).await;
    let third = rig.run([old]).await;
    rig.pass(MINUTE * 40).await;
    assert_eq!(new_starts.next().await, OccurrenceKey::scheduled(start() + MINUTE * 30));
    assert_eq!((old_starts.so_far(), new_starts.so_far()), (vec![], vec![]), "neither a minute of the old build's");
    let found = rig.rows(second.handle(), "job", 2).await;
    assert_eq!(words(&found), ["succeeded #1", "succeeded #1"]);
    for scheduler in [first, second, third] {
        rig.stop(scheduler).await;
    }
}
