use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::MemoryLocks;
use crate::{
    clock::{Clock as _, ManualClock},
    conformance::LockHarness,
    identity::{InstanceId, JobId},
    lock::{AcquireRequest, Acquired, CURSOR_LIFE, LockBackend, LockMode, LockOccurrence},
};

crate::lock_conformance!(harness);

struct Harness {
    locks: Arc<MemoryLocks>,
    clock: ManualClock,
}

async fn harness() -> Harness {
    let clock = ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).expect("in range"));
    Harness { locks: Arc::new(MemoryLocks::new().with_clock(Arc::new(clock.clone()))), clock }
}

#[async_trait]
impl LockHarness for Harness {
    fn locks(&self) -> Arc<dyn LockBackend> {
        Arc::clone(&self.locks) as Arc<dyn LockBackend>
    }

    async fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    async fn cursor_life(&self, job: &JobId) -> Option<Duration> {
        let now = self.clock.now();
        let moved_at = self.locks.keys().get(job)?.cursor(now)?.moved_at;
        (moved_at + CURSOR_LIFE - now).to_std().ok()
    }
}

#[tokio::test]
async fn a_cursor_is_forgotten_after_seven_days_and_fences_go_on_growing() {
    let Harness { locks, clock } = harness().await;
    let at = clock.now() - TimeDelta::seconds(1);
    let owner = InstanceId::random();
    let job_id = JobId::parse("daily").expect("valid");
    let request = AcquireRequest {
        job_id: job_id.clone(),
        owner,
        occurrence: Some(LockOccurrence { scheduled_at: at, not_before: at }),
        mode: LockMode::Lease { ttl: Duration::from_secs(30), exclusive: true },
    };
    let first = locks.acquire(std::slice::from_ref(&request)).await.expect("in memory");
    clock.advance(CURSOR_LIFE - Duration::from_secs(1));
    assert_eq!(locks.cursor(&job_id).await.expect("in memory"), Some(at));
    assert_eq!(locks.acquire(std::slice::from_ref(&request)).await.expect("in memory"), [Acquired::AlreadyClaimed]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(locks.cursor(&job_id).await.expect("in memory"), None);
    let second = locks.acquire(&[request]).await.expect("in memory");
    let ([Acquired::Granted(Some(first))], [Acquired::Granted(Some(second))]) = (&first[..], &second[..]) else {
        panic!("{first:?}, {second:?}")
    };
    assert!(second.fence > first.fence);
}
