//! What may still be granted while the engine stops (R11).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::Engine;

/// Counts claims, takes and decisions that are under way.
#[derive(Debug, Default)]
pub(crate) struct Starting(AtomicUsize);

/// A claim, take or decision under way: as long as it lives, a shutdown waits for it.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Engine>);

impl Engine {
    /// Begins what may be granted something; `None` once nothing more may be.
    ///
    /// Counted before it is asked, so that a shutdown that has begun meanwhile sees it.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<UnderWay> {
        self.starting.0.fetch_add(1, Ordering::SeqCst);
        let under_way = UnderWay(Arc::clone(self));
        (!self.is_draining()).then_some(under_way)
    }

    /// How many are under way.
    pub(crate) fn starting(&self) -> usize {
        self.starting.0.load(Ordering::SeqCst)
    }
}

impl Clone for UnderWay {
    fn clone(&self) -> Self {
        self.0.starting.0.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(&self.0))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.starting.0.fetch_sub(1, Ordering::SeqCst);
        self.0.running.left.notify_waiters();
    }
}
