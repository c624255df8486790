//! One reader of the store for all who listen to this instance.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{
    SchedulerHandle,
    store::{AuditQuery, ExecutionFilter, ExecutionQuery, PageStart, StoreError},
};
use tokio::sync::{Mutex, broadcast};
use tracing::debug;

use super::Change;

/// How often the store is asked while somebody listens.
const LOOK: Duration = Duration::from_millis(500);
/// How far a look goes back: what was committed after a look may be older than what that look saw.
const BACK: TimeDelta = TimeDelta::seconds(5);
/// How many changes a listener may be behind.
const BEHIND: usize = 1_024;
/// How many changed rows a look reads; where there are more, it is told that not all was.
const ROWS: usize = 500;
/// How many entries of the audit a look reads.
const ENTRIES: usize = 100;
/// How far back a listener who comes back is told what they have missed.
const MEMORY: TimeDelta = TimeDelta::hours(1);

/// Reads from the store what has changed, on whichever instance, and tells all who listen; asks nothing while nobody
/// does. What it tells is for people to look at: the rows are what counts.
#[derive(Debug)]
pub(crate) struct Feed {
    handle: SchedulerHandle,
    changes: broadcast::Sender<Told>,
    /// Whether it reads now; changed under the lock alone, or by a reader that goes.
    reads: Arc<AtomicBool>,
    start: Mutex<()>,
}

impl Feed {
    pub(crate) fn new(handle: SchedulerHandle) -> Self {
        let changes = broadcast::Sender::new(BEHIND);
        Self { handle, changes, reads: Arc::default(), start: Mutex::default() }
    }

    /// What changes from now on.
    pub(super) async fn subscribe(self: &Arc<Self>) -> Result<broadcast::Receiver<Told>, StoreError> {
        let _one_at_a_time = self.start.lock().await;
        if !self.reads.load(Ordering::SeqCst) {
            let reader = Reader::start(&self.handle).await?;
            self.reads.store(true, Ordering::SeqCst);
            tokio::spawn(Arc::clone(self).read(reader, Reads(Arc::clone(&self.reads))));
        }
        Ok(self.changes.subscribe())
    }

    /// What has changed since an instant, oldest first, also what was committed late.
    pub(super) async fn since(&self, at: DateTime<Utc>) -> Result<Vec<Told>, StoreError> {
        if at < self.handle.now() - MEMORY {
            return Ok(vec![Told::Reset]);
        }
        let (changes, whole) = look(&self.handle, Some(at - BACK)).await?;
        Ok(if whole { changes.into_iter().map(Told::change).collect() } else { vec![Told::Reset] })
    }

    async fn read(self: Arc<Self>, mut reader: Reader, reads: Reads) {
        loop {
            self.handle.sleep(LOOK).await;
            {
                let _one_at_a_time = self.start.lock().await;
                if self.changes.receiver_count() == 0 {
                    drop(reads);
                    return;
                }
            }
            match reader.look(&self.handle).await {
                Ok(news) => {
                    for told in news {
                        // An error says that the last listener has gone meanwhile.
                        let _ = self.changes.send(told);
                    }
                }
                // The engine says so, once; here it is asked again.
                Err(error) => debug!(%error, "what has changed can't be read now"),
            }
        }
    }
}

/// What a listener is told.
#[derive(Debug, Clone)]
pub(super) enum Told {
    Change(Arc<Change>),
    /// More has happened than is told: read what is shown again.
    Reset,
}

impl Told {
    fn change(change: Change) -> Self {
        Self::Change(Arc::new(change))
    }
}

/// That the feed reads; dropped, also by a panic, it does not.
struct Reads(Arc<AtomicBool>);

impl Drop for Reads {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// What was read, and up to where.
#[derive(Debug)]
struct Reader {
    /// The newest change that was seen.
    newest: DateTime<Utc>,
    /// The ids of what was told and would be read again, and when it was.
    told: HashMap<String, DateTime<Utc>>,
}

impl Reader {
    /// Begins at the newest change that the store has, so that no clock but its own is asked.
    async fn start(handle: &SchedulerHandle) -> Result<Self, StoreError> {
        let (newest, _) = look(handle, None).await?;
        let newest = newest.iter().map(Change::at).max().unwrap_or(DateTime::UNIX_EPOCH);
        let mut reader = Self { newest, told: HashMap::new() };
        reader.look(handle).await?;
        Ok(reader)
    }

    /// What has changed since the last look, oldest first.
    async fn look(&mut self, handle: &SchedulerHandle) -> Result<Vec<Told>, StoreError> {
        let (mut changes, whole) = look(handle, Some(self.newest - BACK)).await?;
        changes.retain(|change| self.told.insert(change.id(), change.at()).is_none());
        self.newest = changes.iter().map(Change::at).max().map_or(self.newest, |at| at.max(self.newest));
        let since = self.newest - BACK;
        self.told.retain(|_, at| *at >= since);
        // What was cut off is not told later either.
        let reset = (!whole && !changes.is_empty()).then_some(Told::Reset);
        Ok(changes.into_iter().map(Told::change).chain(reset).collect())
    }
}

/// The changes since an instant, oldest first, and whether these are all; without one, the newest of each kind.
async fn look(handle: &SchedulerHandle, since: Option<DateTime<Utc>>) -> Result<(Vec<Change>, bool), StoreError> {
    let (rows, entries) = if since.is_some() { (ROWS, ENTRIES) } else { (1, 1) };
    let filter = ExecutionFilter { changed_since: since, ..ExecutionFilter::default() };
    let query = ExecutionQuery { filter, start: PageStart::Offset(0), limit: rows, count: false };
    let executions = handle.executions(&query).await?.executions;
    let audit = handle.audit(&AuditQuery { since, limit: entries, ..AuditQuery::default() }).await?;
    let whole = executions.len() < rows && audit.len() < entries;
    let executions = executions.into_iter().map(|row| Change::Execution(Box::new(row)));
    let mut changes: Vec<_> = executions.chain(audit.into_iter().map(|entry| Change::Audit(Box::new(entry)))).collect();
    changes.sort_by_key(Change::at);
    Ok((changes, whole))
}
