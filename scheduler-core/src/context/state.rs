//! The service's own values, by type.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tracing::error;

/// One value of each type, for the bodies of jobs.
#[derive(Default)]
pub struct StateMap(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl StateMap {
    /// Adds a value, in place of one of the same type.
    pub fn insert<T: Clone + Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Box::new(value));
    }

    /// The value of this type.
    #[must_use]
    pub fn get<T: Clone + 'static>(&self) -> Option<T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref::<T>().cloned()
    }

    /// Whether there is a value of this type.
    #[must_use]
    pub fn contains(&self, type_id: TypeId) -> bool {
        self.0.contains_key(&type_id)
    }
}

impl Drop for StateMap {
    /// Each on its own: one that panics at its end takes none of the others with it.
    fn drop(&mut self) {
        for (_, value) in self.0.drain() {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
                // What it was thrown with is the user's as well, and may panic at its end.
                std::mem::forget(payload);
                error!("a value that was given to the scheduler panicked as it was dropped");
            }
        }
    }
}

impl fmt::Debug for StateMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateMap").field("values", &self.0.len()).finish()
    }
}
