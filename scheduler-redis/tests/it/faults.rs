//! What servers and networks do to a connection.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use scheduler_core::{
    identity::{InstanceId, JobId},
    lock::{AcquireRequest, Acquired, LockBackend, LockMode, LockOccurrence},
};

use crate::server::{connection, locks, namespace, url};

fn job(name: &str) -> JobId {
    JobId::parse(name).expect("a valid id")
}

fn request(job: JobId, owner: InstanceId, mode: LockMode) -> AcquireRequest {
    let at: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().expect("an instant");
    AcquireRequest { job_id: job, owner, occurrence: Some(LockOccurrence { scheduled_at: at, not_before: at }), mode }
}

async fn fields(key: &str) -> Option<i64> {
    redis::cmd("HGET").arg(&[key, "cursor"]).query_async(&mut connection().await).await.expect("a hash")
}

#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_brought_them_again() {
    let locks = locks(&url("REDIS_URL"), &namespace());
    let flush = || async {
        redis::cmd("SCRIPT").arg("FLUSH").query_async::<()>(&mut connection().await).await.expect("it forgets");
    };
    let lease = LockMode::Lease { ttl: Duration::from_secs(30), exclusive: true };
    flush().await;
    let owner = InstanceId::random();
    let granted =
        locks.acquire(&[request(job("a"), owner, lease), request(job("b"), owner, lease)]).await.expect("an answer");
    let [Acquired::Granted(Some(a)), Acquired::Granted(Some(_))] = granted.as_slice() else { panic!("{granted:?}") };
    flush().await;
    assert!(locks.renew(a, Duration::from_secs(30)).await.expect("an answer"));
    flush().await;
    assert!(locks.release(a).await.expect("an answer"));
}

#[tokio::test]
async fn a_connection_that_was_cut_is_made_again() {
    // A user of the test's own, so that no other test's connection is cut.
    let user = format!("cut-{}", InstanceId::random());
    let mut other = connection().await;
    redis::cmd("ACL")
        .arg(&["SETUSER", &user, "on", ">secret", "~*", "+@all"])
        .query_async::<()>(&mut other)
        .await
        .expect("made");
    let given = url("REDIS_URL");
    let address = given.rsplit_once('@').map_or(given.trim_start_matches("redis://"), |(_, address)| address);
    let locks = locks(&format!("redis://{user}:secret@{address}"), &namespace());
    let owner = InstanceId::random();
    locks.acquire(&[request(job("before"), owner, LockMode::Filter)]).await.expect("an answer");
    let killed: i64 = redis::cmd("CLIENT").arg(&["KILL", "USER", &user]).query_async(&mut other).await.expect("killed");
    assert_eq!(killed, 1, "one connection for everything");
    let mut answers = Vec::new();
    for attempt in 0..3 {
        answers.push(locks.acquire(&[request(job(&format!("after-{attempt}")), owner, LockMode::Filter)]).await);
    }
    redis::cmd("ACL").arg(&["DELUSER", &user]).query_async::<()>(&mut other).await.expect("removed");
    assert!(answers.last().expect("three").is_ok(), "{answers:?}");
    // Only the call that meets the cut may fail, and says that trying again can help.
    let failed: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert!(failed.len() <= 1 && failed.iter().all(|error| error.is_retryable()), "{answers:?}");
}

#[tokio::test]
async fn a_batch_of_a_thousand_is_one_trip() {
    let locks = locks(&url("REDIS_URL"), &namespace());
    let owner = InstanceId::random();
    let batch: Vec<_> =
        (0..1_000).map(|index| request(job(&format!("job-{index}")), owner, LockMode::Filter)).collect();
    let granted = locks.acquire(&batch).await.expect("an answer");
    assert!(granted.iter().all(|answer| *answer == Acquired::Granted(None)));
    assert_eq!(granted.len(), batch.len());
}

#[tokio::test]
async fn namespaces_are_apart() {
    let (one, two) = (namespace(), namespace());
    let owner = InstanceId::random();
    for namespace in [&one, &two] {
        let granted =
            locks(&url("REDIS_URL"), namespace).acquire(&[request(job("job"), owner, LockMode::Filter)]).await;
        assert_eq!(granted.expect("an answer"), [Acquired::Granted(None)]);
    }
    assert!(fields(&format!("{one}:job")).await.is_some(), "the key is the namespace and the job's id");
}

#[tokio::test]
async fn a_fence_grows_even_after_its_key_was_lost() {
    let namespace = namespace();
    let locks: Arc<dyn LockBackend> = locks(&url("REDIS_URL"), &namespace).attach();
    let lease = LockMode::Lease { ttl: Duration::from_secs(30), exclusive: true };
    let mut last = None;
    for _ in 0..3 {
        let granted = locks.acquire(&[request(job("job"), InstanceId::random(), lease)]).await.expect("an answer");
        let [Acquired::Granted(Some(lease))] = granted.as_slice() else { panic!("{granted:?}") };
        assert!(Some(lease.fence) > last, "{:?} after {last:?}", lease.fence);
        last = Some(lease.fence);
        redis::cmd("DEL")
            .arg(format!("{namespace}:job"))
            .query_async::<()>(&mut connection().await)
            .await
            .expect("lost");
    }
}
