//! What executions say.

use std::collections::BTreeMap;

use crate::{
    execution::{Execution, Progress},
    identity::ExecutionId,
    store::{LogLine, LogPage, LogQuery, LogStart, Report},
};

/// How many bytes of lines are kept of all executions together; those of the oldest go first, and count as dropped.
const ROOM: usize = 16 * 1024 * 1024;

/// What each execution said.
#[derive(Debug, Default)]
pub(super) struct Said {
    by_execution: BTreeMap<ExecutionId, Kept>,
    /// Of all lines together.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Kept {
    logged: u64,
    /// By place.
    lines: BTreeMap<usize, LogLine>,
    progress: Option<Progress>,
}

impl Said {
    /// Keeps what an execution said that is there.
    pub(super) fn keep(&mut self, report: &Report) {
        let kept = self.by_execution.entry(report.execution_id).or_default();
        kept.logged = kept.logged.max(report.logged);
        kept.progress = report.progress.or(kept.progress);
        for line in &report.lines {
            if kept.lines.get(&line.place).is_none_or(|there| there.number < line.number) {
                self.bytes += line.size();
                let replaced = kept.lines.insert(line.place, line.clone());
                self.bytes -= replaced.map_or(0, |line| line.size());
            }
        }
        self.make_room();
    }

    pub(super) fn logs(&self, query: &LogQuery) -> LogPage {
        let Some(kept) = self.by_execution.get(&query.execution_id) else { return LogPage::default() };
        let after = if let LogStart::After(number) = query.start { number } else { 0 };
        let mut lines: Vec<&LogLine> =
            kept.lines.values().filter(|line| line.number > after && query.level.includes(line.level)).collect();
        lines.sort_unstable_by_key(|line| line.number);
        let skipped = if query.start == LogStart::Last { lines.len().saturating_sub(query.limit) } else { 0 };
        let lines = lines.into_iter().skip(skipped).take(query.limit).cloned().collect();
        LogPage::new(lines, kept.logged, kept.lines.len() as u64)
    }

    /// The row as it is read: with its progress.
    pub(super) fn with_progress(&self, row: &Execution) -> Execution {
        let progress = self.by_execution.get(&row.id).and_then(|kept| kept.progress);
        Execution { progress, ..row.clone() }
    }

    pub(super) fn forget(&mut self, id: ExecutionId) {
        if let Some(kept) = self.by_execution.remove(&id) {
            self.bytes -= kept.bytes();
        }
    }

    fn make_room(&mut self) {
        while self.bytes > ROOM {
            let Some(oldest) = self.by_execution.values_mut().find(|kept| !kept.lines.is_empty()) else { return };
            self.bytes -= oldest.bytes();
            oldest.lines.clear();
        }
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        self.lines.values().map(LogLine::size).sum()
    }
}
