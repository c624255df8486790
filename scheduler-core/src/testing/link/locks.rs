//! A lock backend behind a link.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Broken, Link, Operation, broken, owned};
use crate::{
    identity::JobId,
    lock::{AcquireRequest, Acquired, LockBackend, LockError, LockLease},
};

/// A lock backend behind a link.
#[derive(Debug, Clone)]
pub(crate) struct LinkedLocks<L> {
    pub(crate) inner: Arc<dyn LockBackend>,
    pub(crate) link: L,
}

impl<L: Link> LinkedLocks<L> {
    async fn carry<T: Send + 'static, F>(
        &self,
        operation: Operation,
        call: impl FnOnce(Arc<dyn LockBackend>) -> F,
    ) -> Result<T, LockError>
    where
        F: Future<Output = Result<T, LockError>> + Send + 'static,
    {
        let carried = self.link.carry(operation, call(Arc::clone(&self.inner)));
        carried.await.map_err(|error| match error {
            Broken::Unreachable | Broken::ReplyLost => {
                LockError::Unavailable { operation: operation.as_str(), source: broken() }
            }
            Broken::Backend(error) => error,
        })
    }
}

#[async_trait]
impl<L: Link> LockBackend for LinkedLocks<L> {
    fn attach(&self) -> Arc<dyn LockBackend> {
        Arc::new(Self { inner: self.inner.attach(), link: self.link.clone() })
    }

    async fn check(&self) -> Result<(), LockError> {
        self.carry(Operation::CheckLocks, |locks| async move { locks.check().await }).await
    }

    async fn acquire(&self, requests: &[AcquireRequest]) -> Result<Vec<Acquired>, LockError> {
        let requests = owned(requests);
        self.carry(Operation::Acquire, |locks| async move { locks.acquire(&requests).await }).await
    }

    async fn cursor(&self, job_id: &JobId) -> Result<Option<DateTime<Utc>>, LockError> {
        let job_id = job_id.clone();
        self.carry(Operation::Cursor, |locks| async move { locks.cursor(&job_id).await }).await
    }

    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<bool, LockError> {
        let lease = lease.clone();
        self.carry(Operation::RenewLock, |locks| async move { locks.renew(&lease, ttl).await }).await
    }

    async fn release(&self, lease: &LockLease) -> Result<bool, LockError> {
        let lease = lease.clone();
        self.carry(Operation::Release, |locks| async move { locks.release(&lease).await }).await
    }
}
