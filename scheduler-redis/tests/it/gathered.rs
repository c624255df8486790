//! Calls of many tasks share their trips.

use std::time::Duration;

use futures_util::future::{join, join_all};
use redis::AsyncCommands as _;
use scheduler_core::lock::{Acquired, LockBackend as _, LockMode};
use scheduler_redis::RedisLocks;

use crate::{
    proxy::Proxy,
    server::{acquire, beside, locks_at, request},
};

/// As the engine's: how long an answer is waited for.
const LIMIT: Duration = Duration::from_millis(50);

const LEASE: LockMode = LockMode::Lease { ttl: Duration::from_secs(60), exclusive: true };

/// A backend by this way, whose connection is open.
async fn warm(proxy: &Proxy) -> RedisLocks {
    let locks = locks_at(&proxy.url());
    locks.check().await.unwrap();
    locks
}

#[tokio::test]
async fn calls_of_many_tasks_take_few_scripts() {
    const TASKS: usize = 64;
    const ROUNDS: i64 = 20;
    let proxy = Proxy::start().await;
    let locks = warm(&proxy).await;
    let before = proxy.scripts();
    let task = async |id: usize| {
        for seconds in 0..ROUNDS {
            let granted = acquire(&locks, request(&format!("job-{id}"), seconds, LEASE)).await.unwrap();
            let Acquired::Granted(Some(lease)) = granted else { panic!("not granted: {granted:?}") };
            assert!(locks.renew(&lease, Duration::from_secs(60)).await.unwrap());
            assert!(locks.release(&lease).await.unwrap());
        }
    };
    join_all((0..TASKS).map(task)).await;
    let calls = TASKS * 3 * usize::try_from(ROUNDS).unwrap();
    let scripts = proxy.scripts() - before;
    assert!(scripts <= calls / 8, "{scripts} scripts for {calls} calls");
    assert_eq!(proxy.accepted(), 1);
}

#[tokio::test]
async fn a_caller_that_gives_up_harms_none_of_the_others() {
    let proxy = Proxy::start().await;
    let locks = warm(&proxy).await;
    proxy.hold_answers_until("never sent", 1);
    let gives_up = tokio::time::timeout(LIMIT, acquire(&locks, request("one", 0, LockMode::Filter)));
    let others = join_all((0..10).map(|id| acquire(&locks, request(&format!("other-{id}"), 0, LEASE))));
    let mut others = std::pin::pin!(others);
    tokio::select! {
        biased;
        given_up = gives_up => drop(given_up.expect_err("the answer is kept back")),
        _ = &mut others => panic!("the answers are kept back"),
    }
    // The next goes by another connection, and the others keep theirs.
    let next = acquire(&locks, request("next", 0, LockMode::Filter));
    let let_go = async {
        tokio::task::yield_now().await;
        proxy.let_answers_go();
    };
    let ((next, ()), others) = join(join(next, let_go), others).await;
    assert_eq!(next.unwrap(), Acquired::Granted(None));
    for answer in others {
        assert!(matches!(answer.unwrap(), Acquired::Granted(Some(_))));
    }
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn a_call_that_is_dropped_before_its_trip_is_not_sent() {
    let proxy = Proxy::start().await;
    let locks = warm(&proxy).await;
    proxy.hold_answers_until("never sent", 1);
    let ask = |id: &str| {
        tokio::spawn({
            let (locks, asked) = (locks.clone(), request(id, 0, LockMode::Filter));
            async move { acquire(&locks, asked).await }
        })
    };
    let mut under_way = Vec::new();
    let scripts = proxy.scripts();
    for id in ["one", "two"] {
        under_way.push(ask(id));
        let expected = scripts + under_way.len();
        while proxy.scripts() < expected {
            tokio::task::yield_now().await;
        }
    }
    let gathered = tokio::time::timeout(LIMIT, acquire(&locks, request("three", 0, LockMode::Filter)));
    gathered.await.expect_err("it waits for the two under way");
    proxy.let_answers_go();
    for call in under_way {
        assert_eq!(call.await.unwrap().unwrap(), Acquired::Granted(None));
    }
    let other = acquire(&locks, request("three", 0, LockMode::Filter)).await;
    assert_eq!(other.unwrap(), Acquired::Granted(None), "nobody was granted it before");
}

#[tokio::test]
async fn a_trip_that_fails_is_told_to_all_in_it() {
    let mut proxy = Proxy::start().await;
    let locks = warm(&proxy).await;
    proxy.hold_answers_until("never sent", 1);
    let scripts = proxy.scripts();
    let calls = join_all((0..10).map(|id| acquire(&locks, request(&format!("job-{id}"), 0, LEASE))));
    let end = async {
        while proxy.scripts() == scripts {
            tokio::task::yield_now().await;
        }
        proxy.stop().await;
    };
    let (answers, ()) = join(calls, end).await;
    assert_eq!(answers.len(), 10);
    for answer in answers {
        assert!(answer.unwrap_err().is_retryable());
    }
}

#[tokio::test]
async fn a_key_that_is_not_ours_fails_its_own_call_alone() {
    let proxy = Proxy::start().await;
    let locks = warm(&proxy).await;
    let theirs = format!("{}:theirs", locks.namespace());
    let mut beside = beside().await;
    let _: usize = beside.rpush(&theirs, "theirs").await.unwrap();
    let before = proxy.scripts();
    let asked = ["one", "theirs", "other"].map(|id| acquire(&locks, request(id, 0, LEASE)));
    let answers = join_all(asked).await;
    assert_eq!(proxy.scripts() - before, 1);
    assert!(matches!(answers[0], Ok(Acquired::Granted(Some(_)))), "{answers:?}");
    assert!(answers[1].as_ref().is_err_and(|error| !error.is_retryable()), "{answers:?}");
    assert!(matches!(answers[2], Ok(Acquired::Granted(Some(_)))), "{answers:?}");
    let _: usize = beside.del(&theirs).await.unwrap();
}

#[test]
fn calls_of_a_runtime_that_ended_leave_the_next_one_its_own() {
    let beside = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let first = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let proxy = beside.block_on(Proxy::start());
    let locks = first.block_on(warm(&proxy));
    proxy.hold_answers_until("never sent", 1);
    // Its trip is under way when its runtime ends.
    first.spawn({
        let locks = locks.clone();
        async move { acquire(&locks, request("one", 0, LockMode::Filter)).await }
    });
    let scripts = proxy.scripts();
    first.block_on(async {
        while proxy.scripts() == scripts {
            tokio::task::yield_now().await;
        }
    });
    drop(first);
    proxy.let_answers_go();
    let answer = beside.block_on(acquire(&locks, request("two", 0, LockMode::Filter)));
    assert_eq!(answer.unwrap(), Acquired::Granted(None));
}
