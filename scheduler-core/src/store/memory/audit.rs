//! Who did what.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use crate::store::{AuditEntry, AuditId, AuditQuery, AuditRecord};

/// How many entries are kept: a few megabytes.
const LIMIT: usize = 10_000;

/// The last entries, oldest first.
#[derive(Debug, Default)]
pub(super) struct Audit {
    entries: VecDeque<AuditEntry>,
    last: i64,
}

impl Audit {
    pub(super) fn append(&mut self, record: AuditRecord, now: DateTime<Utc>) -> AuditId {
        self.last += 1;
        let id = AuditId(self.last);
        if self.entries.len() == LIMIT {
            self.entries.pop_front();
        }
        self.entries.push_back(AuditEntry::new(id, now, record));
        id
    }

    pub(super) fn read(&self, query: &AuditQuery) -> Vec<AuditEntry> {
        self.entries.iter().rev().filter(|entry| query.lets_through(entry)).take(query.limit).cloned().collect()
    }
}
