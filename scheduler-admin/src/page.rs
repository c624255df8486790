//! Pages of executions: by number, or by cursor.

use scheduler_core::{
    SchedulerHandle,
    execution::Execution,
    identity::ExecutionId,
    store::{ExecutionFilter, ExecutionQuery, PageStart},
};
use serde_json::{Value, json};

use crate::{cursor::Cursor, error::ApiError, query::Query};

/// The predecessor's page.
pub(crate) const DEFAULT_LIMIT: u64 = 20;
/// The longest page.
const LONGEST: u64 = 100;
/// How long a page may be.
pub(crate) const LIMIT: std::ops::RangeInclusive<u64> = 1..=LONGEST;

/// Which page is asked for.
#[derive(Debug)]
pub(crate) struct PageRequest {
    start: Start,
    limit: u64,
    cursor: Cursor,
}

#[derive(Debug)]
enum Start {
    /// The predecessor's: by number, with the total.
    Page { number: u64, offset: u64 },
    /// By key, which never repeats or leaves out a row while rows are added, and counts nothing.
    Cursor(ExecutionId),
}

/// A page that was read.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) executions: Vec<Execution>,
    pub(crate) meta: Value,
}

impl PageRequest {
    /// The page of a list that goes by these cursors.
    pub(crate) fn of(query: &Query, cursor: Cursor) -> Result<Self, ApiError> {
        let limit = query.number("limit", LIMIT)?.unwrap_or(DEFAULT_LIMIT);
        let number = query.number("page", 1..=u64::MAX)?;
        let start = match (query.get("cursor")?, number) {
            (Some(_), Some(_)) => return Err(ApiError::parameter("cursor", "does not go with `page`")),
            (Some(text), None) => Start::Cursor(ExecutionId(cursor.read(text)?)),
            (None, number) => {
                let number = number.unwrap_or(1);
                // A store counts in signed numbers; its page ends within them, too.
                let offset = (number - 1).checked_mul(limit).filter(|offset| *offset < i64::MAX as u64 - LONGEST);
                Start::Page { number, offset: offset.ok_or_else(|| ApiError::parameter("page", "is too large"))? }
            }
        };
        Ok(Self { start, limit, cursor })
    }

    /// The same page without its total, which reads all rows to count them.
    #[cfg(feature = "dashboard")]
    pub(crate) fn uncounted(self) -> Self {
        match self.start {
            Start::Page { number: 1, .. } => Self { start: Start::Cursor(ExecutionId(i64::MAX)), ..self },
            _ => self,
        }
    }

    /// Reads the page.
    pub(crate) async fn read(self, handle: &SchedulerHandle, filter: ExecutionFilter) -> Result<Page, ApiError> {
        let limit = usize::try_from(self.limit).expect("at most 100");
        match self.start {
            Start::Page { number, offset } => {
                let start = PageStart::Offset(offset);
                let page = handle.executions(&ExecutionQuery { filter, start, limit, count: true }).await?;
                let total = page.total.unwrap_or(offset + page.executions.len() as u64);
                let more = offset + (page.executions.len() as u64) < total;
                let meta = json!({
                    "page": number,
                    "limit": self.limit,
                    "total_items": total,
                    "total_pages": total.div_ceil(self.limit),
                    "next_cursor": self.next(&page.executions, more),
                });
                Ok(Page { executions: page.executions, meta })
            }
            Start::Cursor(id) => {
                let start = PageStart::Before(id);
                // One row more says whether a page follows.
                let query = ExecutionQuery { filter, start, limit: limit + 1, count: false };
                let mut executions = handle.executions(&query).await?.executions;
                let more = executions.len() > limit;
                executions.truncate(limit);
                let meta = json!({ "limit": self.limit, "next_cursor": self.next(&executions, more) });
                Ok(Page { executions, meta })
            }
        }
    }

    fn next(&self, executions: &[Execution], more: bool) -> Option<String> {
        executions.last().filter(|_| more).map(|last| self.cursor.text(last.id.0))
    }
}
