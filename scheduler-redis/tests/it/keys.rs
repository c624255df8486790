//! What is kept, and under which names.

use std::{collections::BTreeMap, time::Duration};

use redis::AsyncCommands as _;
use scheduler_core::{
    identity::InstanceId,
    lock::{AcquireRequest, Acquired, CURSOR_LIFE, LockBackend as _, LockLease, LockMode, LockOccurrence},
};
use scheduler_redis::{RedisError, RedisLocks};

use crate::server::{acquire, attached, beside, due, filter, job, locks, namespace, request, url};

const LEASE: LockMode = LockMode::Lease { ttl: Duration::from_secs(60), exclusive: true };
const SHARED: LockMode = LockMode::Lease { ttl: Duration::from_secs(60), exclusive: false };

async fn lease(locks: &RedisLocks, request: AcquireRequest) -> LockLease {
    match acquire(locks, request).await.unwrap() {
        Acquired::Granted(Some(lease)) => lease,
        other => panic!("expected a lease, got {other:?}"),
    }
}

#[tokio::test]
async fn a_jobs_key_is_the_namespace_and_its_id() {
    let locks = locks();
    let asked = request("pay-roll.v2_x", 0, LockMode::Filter);
    assert_eq!(acquire(&locks, asked.clone()).await.unwrap(), Acquired::Granted(None));
    let mut beside = beside().await;
    let kept: BTreeMap<String, String> = beside.hgetall(format!("{}:pay-roll.v2_x", locks.namespace())).await.unwrap();
    let cursor = due().timestamp_micros().to_string();
    assert_eq!(kept, BTreeMap::from([("cursor".into(), cursor), ("owner".into(), asked.owner.to_string())]));
}

/// Instances of the version before use the same keys while a service is deployed.
#[tokio::test]
async fn a_lease_has_the_fields_that_older_instances_read() {
    let locks = locks();
    let key = format!("{}:daily", locks.namespace());
    let held = lease(&locks, request("daily", 0, LEASE)).await;
    let mut beside = beside().await;
    let kept: BTreeMap<String, String> = beside.hgetall(&key).await.unwrap();
    let (owner, occurrence) = (held.owner.to_string(), due().timestamp_micros().to_string());
    let fence = held.fence.to_string();
    let expires_at = (held.fence.0 + 60_000_000).to_string();
    let expected = [
        ("cursor", &occurrence),
        ("owner", &owner),
        ("fence", &fence),
        ("lease_owner", &owner),
        ("lease_occurrence", &occurrence),
        ("lease_fence", &fence),
        ("lease_expires_at", &expires_at),
    ];
    assert_eq!(kept, expected.map(|(name, value)| (name.to_owned(), value.clone())).into());
    assert!(locks.release(&held).await.unwrap());
    let expires_at: String = beside.hget(&key, "lease_expires_at").await.unwrap();
    assert_eq!(expires_at, "0", "to them, too, a lease that has expired is none");
    // They delete the fields instead.
    let _: usize =
        beside.hdel(&key, &["lease_owner", "lease_occurrence", "lease_fence", "lease_expires_at"]).await.unwrap();
    let next = lease(&locks, request("daily", 1, LEASE)).await;
    assert!(next.fence > held.fence);
    assert!(locks.release(&next).await.unwrap());
}

#[tokio::test]
async fn the_first_fence_of_an_hour_gives_a_key_its_whole_life() {
    const HOUR: i64 = 3_600_000_000;
    let locks = locks();
    let key = format!("{}:daily", locks.namespace());
    let mut beside = beside().await;
    for (seconds, mode) in [(0, LEASE), (1, SHARED)] {
        let granted = lease(&locks, request("daily", seconds, mode)).await;
        assert!(locks.release(&granted).await.unwrap());
        let _: usize = beside.hset(&key, "fence", granted.fence.0 - HOUR).await.unwrap();
        let _: bool = beside.pexpire(&key, 60_000).await.unwrap();
        let granted = lease(&locks, request("daily", seconds + 10, mode)).await;
        let life = Duration::from_millis(beside.pttl(&key).await.unwrap());
        assert!(life > CURSOR_LIFE, "{mode:?}: {life:?}");
        assert!(locks.release(&granted).await.unwrap());
        let _: usize = beside.del(&key).await.unwrap();
    }
}

#[tokio::test]
async fn namespaces_are_apart() {
    let (one, other) = (locks(), locks());
    for locks in [&one, &other] {
        assert_eq!(filter(locks, 0).await.unwrap(), Acquired::Granted(None));
        assert_eq!(filter(locks, 0).await.unwrap(), Acquired::AlreadyClaimed);
    }
    let held = lease(&one, request("daily", 1, LEASE)).await;
    let _beside = lease(&other, request("daily", 1, LEASE)).await;
    assert!(!other.renew(&held, Duration::from_secs(60)).await.unwrap());
    assert!(!other.release(&held).await.unwrap());
    assert!(one.release(&held).await.unwrap());
}

#[tokio::test]
async fn a_handle_keeps_its_namespace_when_it_is_attached() {
    let locks = locks();
    assert_eq!(filter(&locks, 0).await.unwrap(), Acquired::Granted(None));
    let again = attached(&locks).acquire(&[request("daily", 0, LockMode::Filter)]).await.unwrap();
    assert_eq!(again, [Acquired::AlreadyClaimed]);
}

#[test]
fn a_namespace_is_of_a_few_characters() {
    let locks = RedisLocks::connect_lazy("redis://localhost").unwrap();
    assert_eq!(locks.namespace(), "scheduler");
    for good in ["hris", "Team:hris-2.prod_eu", &"n".repeat(64)] {
        assert_eq!(locks.clone().with_namespace(good).unwrap().namespace(), good);
    }
    for bad in ["", " ", "a b", "a\n", "a*", "{a}", "a/b", "ä", "a\0", &"n".repeat(65)] {
        let error = locks.clone().with_namespace(bad).unwrap_err();
        assert!(matches!(error, RedisError::Namespace { .. }), "{bad:?}: {error:?}");
    }
    let long = locks.with_namespace(&"ä".repeat(10_000)).unwrap_err();
    assert!(long.to_string().len() < 300, "{long}");
}

#[tokio::test]
async fn fences_grow_after_the_key_is_gone() {
    let locks = locks();
    let mut beside = beside().await;
    let mut last = None;
    for (seconds, mode) in (0..).zip([LEASE, SHARED, LEASE, SHARED]) {
        let next = lease(&locks, request("daily", seconds, mode)).await.fence;
        assert!(last.is_none_or(|last| next > last), "{next} after {last:?}");
        last = Some(next);
        let gone: usize = beside.del(format!("{}:daily", locks.namespace())).await.unwrap();
        assert_eq!(gone, 1);
    }
}

#[tokio::test]
async fn fences_grow_when_the_servers_clock_is_behind_the_last() {
    let locks = locks();
    let key = format!("{}:daily", locks.namespace());
    // As if granted an hour ahead of the clock that is now.
    let ahead = lease(&locks, request("daily", 0, SHARED)).await.fence.0 + 3_600_000_000;
    let _: usize = beside().await.hset(&key, "fence", ahead).await.unwrap();
    for (seconds, mode) in [(1, SHARED), (2, LEASE)] {
        assert_eq!(lease(&locks, request("daily", seconds, mode)).await.fence.0, ahead + seconds);
    }
}

#[tokio::test]
async fn a_lease_longer_than_a_cursors_life_is_kept() {
    let locks = locks();
    let key = format!("{}:daily", locks.namespace());
    let long = CURSOR_LIFE * 3;
    let life = async || Duration::from_millis(beside().await.pttl::<_, u64>(&key).await.unwrap());
    let manual = AcquireRequest { occurrence: None, ..request("daily", 0, LEASE) };
    let held = lease(&locks, manual).await;
    assert!(life().await <= CURSOR_LIFE + Duration::from_secs(3_600));
    assert!(locks.renew(&held, long).await.unwrap());
    assert!(life().await > long - Duration::from_secs(60));
    assert_eq!(filter(&locks, 0).await.unwrap(), Acquired::Granted(None));
    assert!(life().await > long - Duration::from_secs(60), "a cursor's move does not cut the lease");
}

#[tokio::test]
async fn a_repeated_request_without_exclusion_has_the_first_ones_fence() {
    let locks = locks();
    let asked = request("daily", 0, SHARED);
    let first = lease(&locks, asked.clone()).await;
    let _manual = lease(&locks, AcquireRequest { occurrence: None, ..asked.clone() }).await;
    assert_eq!(lease(&locks, asked.clone()).await.fence, first.fence);
    let elsewhere = AcquireRequest { owner: InstanceId::random(), ..asked };
    assert_eq!(acquire(&locks, elsewhere).await.unwrap(), Acquired::AlreadyClaimed);
}

#[tokio::test]
async fn a_lease_without_exclusion_is_renewed_and_released_without_asking() {
    let locks = RedisLocks::connect_lazy("redis://127.0.0.1:1").unwrap();
    let lease = LockLease {
        job_id: job("daily"),
        owner: InstanceId::random(),
        fence: scheduler_core::identity::FencingToken(1),
        exclusive: false,
    };
    assert!(locks.renew(&lease, Duration::from_secs(1)).await.unwrap());
    assert!(locks.release(&lease).await.unwrap());
}

#[tokio::test]
async fn instants_are_kept_to_the_microsecond() {
    let locks = locks();
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 123_456_000).unwrap();
    let asked = |at| AcquireRequest {
        occurrence: Some(LockOccurrence { scheduled_at: at, not_before: at }),
        ..request("daily", 0, LockMode::Filter)
    };
    assert_eq!(acquire(&locks, asked(at)).await.unwrap(), Acquired::Granted(None));
    assert_eq!(locks.cursor(&job("daily")).await.unwrap(), Some(at));
    assert_eq!(acquire(&locks, asked(at)).await.unwrap(), Acquired::AlreadyClaimed);
    let next = at + chrono::TimeDelta::microseconds(1);
    assert_eq!(acquire(&locks, asked(next)).await.unwrap(), Acquired::Granted(None));
    let early = chrono::DateTime::from_timestamp(-1, 0).unwrap();
    assert_eq!(acquire(&locks, asked(early)).await.unwrap(), Acquired::AlreadyClaimed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_owners_on_four_connections_one_is_granted() {
    let name = namespace();
    let handles: Vec<_> =
        (0..4).map(|_| RedisLocks::connect_lazy(&url()).unwrap().with_namespace(&name).unwrap()).collect();
    for (seconds, mode) in [(0, LockMode::Filter), (1, LEASE), (2, SHARED)] {
        let tasks: Vec<_> = (0..200)
            .map(|number| {
                let locks = handles[number % handles.len()].clone();
                tokio::spawn(async move { acquire(&locks, request("daily", seconds, mode)).await.unwrap() })
            })
            .collect();
        let mut granted = 0;
        for task in tasks {
            granted += usize::from(matches!(task.await.unwrap(), Acquired::Granted(_)));
        }
        assert_eq!(granted, 1, "{mode:?}");
    }
}
