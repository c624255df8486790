//! Connections come and go.

use std::time::Duration;

use scheduler_core::lock::{Acquired, LockBackend as _, LockError};
use scheduler_redis::RedisLocks;

use crate::{
    proxy::Proxy,
    server::{attached, beside, filter, locks, locks_at, request},
};

/// As the engine's: how long an answer is waited for.
const LIMIT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn connecting_leaves_no_connection_open() {
    let proxy = Proxy::start().await;
    let locks = RedisLocks::connect(&proxy.url()).await.unwrap();
    proxy.open_are(0).await;
    assert_eq!(proxy.accepted(), 1);
    drop(locks);
}

#[tokio::test]
async fn connecting_lazily_asks_nobody() {
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    assert_eq!(proxy.accepted(), 0);
    let attached = attached(&locks);
    assert_eq!(proxy.accepted(), 0);
    attached.check().await.unwrap();
    assert_eq!(proxy.accepted(), 1);
    locks.check().await.unwrap();
    assert_eq!(proxy.accepted(), 2, "an attached handle's connection is its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_tasks_of_a_handle_share_one_connection() {
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let locks = locks.clone();
            tokio::spawn(async move { filter(&locks, 0).await.unwrap() })
        })
        .collect();
    let mut granted = 0;
    for task in tasks {
        granted += usize::from(task.await.unwrap() == Acquired::Granted(None));
    }
    assert_eq!((granted, proxy.accepted()), (1, 1));
}

#[tokio::test]
async fn a_dropped_handle_closes_its_connection() {
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    filter(&locks, 0).await.unwrap();
    drop(locks);
    proxy.open_are(0).await;
}

#[tokio::test]
async fn a_connection_that_the_server_killed_is_replaced() {
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    assert_eq!(filter(&locks, 0).await.unwrap(), Acquired::Granted(None));
    let killed: usize = redis::cmd("CLIENT")
        .arg(&["KILL", "ADDR", &proxy.newest().to_string()])
        .query_async(&mut beside().await)
        .await
        .unwrap();
    assert_eq!(killed, 1);
    // Who asks before the end was seen learns that the answer is lost, and no more than that.
    if let Err(error) = filter(&locks, 1).await {
        assert!(error.is_retryable(), "{error:?}");
    }
    assert_eq!(filter(&locks, 2).await.unwrap(), Acquired::Granted(None));
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn a_server_that_ends_is_an_error_and_one_that_is_back_is_found() {
    let mut proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    assert_eq!(filter(&locks, 0).await.unwrap(), Acquired::Granted(None));
    proxy.stop().await;
    for _ in 0..3 {
        let error = filter(&locks, 1).await.unwrap_err();
        assert!(matches!(error, LockError::Unavailable { .. }), "{error:?}");
    }
    proxy.start_again().await;
    assert_eq!(filter(&locks, 1).await.unwrap(), Acquired::Granted(None));
}

#[tokio::test]
async fn a_connection_that_fell_silent_is_left_by_the_next_call() {
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    assert_eq!(filter(&locks, 0).await.unwrap(), Acquired::Granted(None));
    proxy.silence();
    tokio::time::timeout(LIMIT, filter(&locks, 1)).await.expect_err("nobody answers");
    assert_eq!(filter(&locks, 1).await.unwrap(), Acquired::Granted(None));
    assert_eq!(proxy.accepted(), 2);
    // And the silent one is closed, though its answer never came.
    proxy.open_are(1).await;
}

#[tokio::test]
async fn a_call_on_a_silent_connection_ends_in_an_error_that_a_retry_can_mend() {
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    assert_eq!(filter(&locks, 0).await.unwrap(), Acquired::Granted(None));
    proxy.silence();
    let waiting = [filter(&locks, 1), filter(&locks, 2)];
    for answer in futures_util::future::join_all(waiting).await {
        assert!(answer.unwrap_err().is_retryable());
    }
    assert_eq!(filter(&locks, 1).await.unwrap(), Acquired::Granted(None));
}

#[tokio::test]
async fn a_slow_connection_is_made_beyond_its_first_callers_limit() {
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    proxy.hold_answers_until("never sent", 1);
    tokio::time::timeout(LIMIT, filter(&locks, 0)).await.expect_err("the connection is not there yet");
    proxy.let_answers_go();
    // The login, and the first request: nobody waits for either.
    proxy.trips_are(2).await;
    assert_eq!(filter(&locks, 0).await.unwrap(), Acquired::Granted(None));
    assert_eq!(proxy.accepted(), 1);
}

#[test]
fn a_connection_ends_with_its_runtime_and_the_next_runtime_makes_another() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let locks = locks();
    for seconds in 0..3 {
        assert_eq!(runtime().block_on(filter(&locks, seconds)).unwrap(), Acquired::Granted(None));
    }
}

#[tokio::test]
async fn a_repeated_request_after_a_lost_answer_is_granted() {
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    locks.check().await.unwrap();
    let request = request("daily", 0, scheduler_core::lock::LockMode::Filter);
    proxy.hold_answers_until("never sent", 1);
    let asked = tokio::time::timeout(LIMIT, locks.acquire(std::slice::from_ref(&request))).await;
    asked.expect_err("the answer is kept back");
    proxy.let_answers_go();
    assert_eq!(locks.cursor(&request.job_id).await.unwrap(), request.occurrence.map(|at| at.scheduled_at));
    assert_eq!(locks.acquire(&[request]).await.unwrap(), [Acquired::Granted(None)]);
}
