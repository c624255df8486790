//! Which rows hold a job's key, or are queued for it (R16, R17): the job's own, or that of one instance (R26).

use crate::identity::{ExecutionId, InstanceId};

/// At most one row for each key; nearly every job has one key.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<(Option<InstanceId>, ExecutionId)>);

impl Keys {
    /// The row that has the key that ends in this instance, or the job's own.
    pub(super) fn get(&self, instance: Option<InstanceId>) -> Option<ExecutionId> {
        self.0.iter().find(|(of, _)| *of == instance).map(|(_, row)| *row)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Option<InstanceId>, ExecutionId)> {
        self.0.iter()
    }

    pub(super) fn set(&mut self, instance: Option<InstanceId>, row: ExecutionId) {
        self.0.retain(|(of, _)| *of != instance);
        self.0.push((instance, row));
    }

    /// Frees what a row has.
    pub(super) fn free(&mut self, row: ExecutionId) {
        self.0.retain(|(_, other)| *other != row);
        if self.0.is_empty() {
            // A key is free most of the time.
            self.0 = Vec::new();
        }
    }
}
