//! What a server that can't serve is told apart by.

use std::time::Duration;

use scheduler_core::lock::{LockBackend as _, LockError, LockMode};
use scheduler_redis::{RedisError, RedisLocks};
use tokio::net::TcpListener;

use crate::server::{self, acquire, address, beside, chain, filter, job, locks, locks_at, request, that_says, why};

#[tokio::test]
async fn a_wrong_password_is_named_as_the_cause_and_not_told() {
    let url = format!("redis://:wr0ng@{}/0", address(&server::url()));
    let error = why(&url).await;
    assert!(matches!(error, RedisError::Authentication { .. }), "{error:?}");
    assert!(!error.is_retryable());
    let text = format!("{} {error:?}", chain(&error));
    assert!(text.contains("refuses the default user: the user or the password is wrong"), "{text}");
    assert!(!text.contains("wr0ng"), "{text}");
    let lazy = locks_at(&url).check().await.unwrap_err();
    assert!(matches!(lazy, LockError::Rejected { .. }), "{lazy:?}");
}

#[tokio::test]
async fn an_unknown_user_is_named() {
    let url = format!("redis://nobody:wr0ng@{}/0", address(&server::url()));
    let error = why(&url).await;
    assert!(chain(&error).contains("refuses user `nobody`"), "{error}");
}

#[tokio::test]
async fn a_missing_password_is_named_as_the_cause() {
    let url = that_says("-NOAUTH Authentication required.\r\n").await.replace(":s3cret@", "");
    let error = why(&url).await;
    assert!(matches!(error, RedisError::Authentication { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("redis://:s3cret@{nobody}");
    let error = why(&url).await;
    assert!(matches!(error, RedisError::Unreachable { .. }) && error.is_retryable(), "{error:?}");
    let text = format!("{} {error:?}", chain(&error));
    assert!(
        text.contains(&format!("Redis at `{nobody}` can't be reached: nothing listens there"))
            && !text.contains("s3cret"),
        "{text}"
    );
    let error = filter(&locks_at(&url), 0).await.unwrap_err();
    assert!(matches!(error, LockError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unreachable() {
    let error = why("redis://no-such-host.invalid").await;
    assert!(matches!(error, RedisError::Unreachable { .. }) && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_unreachable_after_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = RedisLocks::connect_lazy(&format!("redis://{}", listener.local_addr().unwrap())).unwrap();
    let error = tokio::time::timeout(Duration::from_secs(10), connect.probe()).await.expect("ends").unwrap_err();
    assert!(chain(&error).contains("no connection within"), "{error:?}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn what_is_no_redis_is_told() {
    let url = that_says("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error = why(&url).await;
    assert!(matches!(error, RedisError::Reply { .. }), "{error:?}");
    assert!(!chain(&error).contains("s3cret"));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_refused_in_the_servers_words() {
    let url = server::url();
    let url = match url.rsplit_once('/') {
        Some((server, database)) if database.parse::<u32>().is_ok() => format!("{server}/99999"),
        _ => format!("{url}/99999"),
    };
    let error = why(&url).await;
    assert!(matches!(error, RedisError::Refused { .. }) && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("DB index is out of range"), "{error}");
}

#[tokio::test]
async fn a_server_that_starts_or_fails_over_may_be_asked_again() {
    for answer in [
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-READONLY You can't write against a read only replica.\r\n",
        "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        "-ERR max number of clients reached\r\n",
    ] {
        let url = that_says(answer).await.replace(":s3cret@", "");
        let error = why(&url).await;
        assert!(matches!(error, RedisError::Refused { .. }) && error.is_retryable(), "{answer}: {error:?}");
        let error = filter(&locks_at(&url), 0).await.unwrap_err();
        assert!(matches!(error, LockError::Unavailable { .. }), "{answer}: {error:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_ours_is_refused_and_left_as_it_is() {
    let locks = locks();
    let key = format!("{}:daily", locks.namespace());
    let mut beside = beside().await;
    let _: () = redis::cmd("SET").arg(&key).arg("theirs").arg("EX").arg(60).query_async(&mut beside).await.unwrap();
    let lease = LockMode::Lease { ttl: Duration::from_secs(5), exclusive: true };
    for mode in [LockMode::Filter, lease] {
        let error = acquire(&locks, request("daily", 0, mode)).await.unwrap_err();
        assert!(matches!(error, LockError::Rejected { .. }), "{error:?}");
        assert!(chain(&error).contains("WRONGTYPE"), "{}", chain(&error));
    }
    locks.cursor(&job("daily")).await.unwrap_err();
    let kept: String = redis::cmd("GET").arg(&key).query_async(&mut beside).await.unwrap();
    assert_eq!(kept, "theirs");
}

#[tokio::test]
async fn a_user_without_permission_is_told_at_the_check() {
    let mut beside = beside().await;
    let user = format!("test-{}", uuid::Uuid::new_v4());
    let acl = ["SETUSER", &user, "on", ">pw", "~*", "+ping", "+client"];
    let _: () = redis::cmd("ACL").arg(&acl).query_async(&mut beside).await.unwrap();
    let locks = locks_at(&format!("redis://{user}:pw@{}/0", address(&server::url())));
    let error = locks.check().await.unwrap_err();
    assert!(matches!(error, LockError::Rejected { .. }), "{error:?}");
    assert!(chain(&error).contains("NOPERM"), "{}", chain(&error));

    // And these are enough; that it does not tell its policy is no error.
    let acl: Vec<_> =
        "reset on >pw ~test:* +ping +evalsha +eval +time +hget +hmget +hset +pttl +pexpire".split(' ').collect();
    let _: () = redis::cmd("ACL").arg("SETUSER").arg(&user).arg(&acl).query_async(&mut beside).await.unwrap();
    let locks = locks_at(&format!("redis://{user}:pw@{}/0", address(&server::url())));
    locks.check().await.unwrap();
    let lease = LockMode::Lease { ttl: Duration::from_secs(5), exclusive: true };
    let granted = acquire(&locks, request("daily", 0, lease)).await.unwrap();
    let scheduler_core::lock::Acquired::Granted(Some(lease)) = granted else { panic!("{granted:?}") };
    assert!(locks.renew(&lease, Duration::from_secs(5)).await.unwrap());
    assert!(locks.release(&lease).await.unwrap());
    assert!(locks.cursor(&lease.job_id).await.unwrap().is_some());
    let _: () = redis::cmd("ACL").arg("DELUSER").arg(&user).query_async(&mut beside).await.unwrap();
}
