//! What this instance moved the lock backend's cursor over, where the store is not shared (R15).
//!
//! The cursor says up to where occurrences are decided, and not by whom: what lies at or below it was decided elsewhere,
//! but for what this instance moved it over itself. That is its own to write until the store's watermark has passed it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::JobIndex;

/// Occurrences between two instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The start, exclusive.
    pub(crate) after: DateTime<Utc>,
    /// The end, inclusive: where the cursor was moved to.
    pub(crate) to: DateTime<Utc>,
}

impl Span {
    /// One occurrence alone.
    pub(crate) fn of(scheduled_at: DateTime<Utc>) -> Self {
        Self { after: scheduled_at - TimeDelta::milliseconds(1), to: scheduled_at }
    }

    pub(crate) fn has(&self, at: DateTime<Utc>) -> bool {
        self.after < at && at <= self.to
    }
}

/// Which occurrences are decided elsewhere, for one look at one job.
#[derive(Debug, Clone, Default)]
pub(crate) struct Elsewhere {
    /// The lock backend's cursor.
    pub(crate) cursor: Option<DateTime<Utc>>,
    /// What lies below it and is this instance's all the same.
    pub(crate) ours: Vec<Span>,
    /// Up to where the backend was asked; nothing is known of what lies above. `None` where there is none to ask.
    pub(crate) until: Option<DateTime<Utc>>,
}

impl Elsewhere {
    pub(crate) fn has(&self, at: DateTime<Utc>) -> bool {
        self.cursor.is_some_and(|cursor| at <= cursor) && !self.ours.iter().any(|span| span.has(at))
    }
}

/// The spans of each job, and those of which the answer was lost.
#[derive(Debug, Default)]
pub(crate) struct Ours(Mutex<HashMap<JobIndex, Spans>>);

#[derive(Debug, Default)]
struct Spans {
    granted: Vec<Span>,
    doubted: Vec<Span>,
}

impl Ours {
    /// Notes what the cursor was moved over.
    pub(crate) fn grant(&self, job: JobIndex, span: Span) {
        self.settle(job, span, true);
    }

    /// Notes what the cursor was not moved over by this instance.
    pub(crate) fn refuse(&self, job: JobIndex, span: Span) {
        self.settle(job, span, false);
    }

    /// Notes what was asked for and not answered; it is asked again before anything is written of the job.
    pub(crate) fn doubt(&self, job: JobIndex, span: Span) {
        let mut jobs = self.lock();
        let doubted = &mut jobs.entry(job).or_default().doubted;
        if !doubted.contains(&span) {
            doubted.push(span);
        }
    }

    pub(crate) fn doubted(&self, job: JobIndex) -> Vec<Span> {
        self.lock().get(&job).map(|spans| spans.doubted.clone()).unwrap_or_default()
    }

    /// What is this instance's above the store's watermark; what lies below it is forgotten.
    pub(crate) fn above(&self, job: JobIndex, watermark: DateTime<Utc>) -> Vec<Span> {
        let mut jobs = self.lock();
        let Some(spans) = jobs.get_mut(&job) else { return Vec::new() };
        spans.granted.retain(|span| span.to > watermark);
        let granted = spans.granted.clone();
        if spans.granted.is_empty() && spans.doubted.is_empty() {
            jobs.remove(&job);
        }
        granted
    }

    fn settle(&self, job: JobIndex, span: Span, is_ours: bool) {
        let mut jobs = self.lock();
        let spans = jobs.entry(job).or_default();
        spans.doubted.retain(|doubted| *doubted != span);
        match spans.granted.last_mut().filter(|_| is_ours) {
            // What follows on the last one is one span with it.
            Some(last) if last.has(span.after) || last.to == span.after => last.to = last.to.max(span.to),
            _ if is_ours => spans.granted.push(span),
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobIndex, Spans>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("within chrono's range")
    }

    #[test]
    fn what_this_instance_moved_the_cursor_over_is_not_elsewhere() {
        let ours = Ours::default();
        ours.grant(0, Span { after: at(10), to: at(20) });
        let elsewhere = Elsewhere { cursor: Some(at(20)), ours: ours.above(0, at(5)), until: Some(at(30)) };
        assert!(elsewhere.has(at(10)));
        assert!(!elsewhere.has(at(11)) && !elsewhere.has(at(20)));
        assert!(!elsewhere.has(at(21)), "above the cursor nothing is");
    }

    #[test]
    fn an_answer_that_was_lost_says_nothing_until_it_is_asked_again() {
        let ours = Ours::default();
        ours.doubt(0, Span::of(at(10)));
        ours.doubt(0, Span::of(at(10)));
        assert_eq!(ours.doubted(0), [Span::of(at(10))]);
        assert_eq!(ours.above(0, at(5)), []);
        ours.grant(0, Span::of(at(10)));
        assert_eq!(ours.doubted(0), []);
        assert_eq!(ours.above(0, at(5)), [Span::of(at(10))]);
    }

    #[test]
    fn what_the_watermark_has_passed_is_forgotten() {
        let ours = Ours::default();
        ours.grant(0, Span::of(at(10)));
        ours.grant(0, Span::of(at(20)));
        assert_eq!(ours.above(0, at(10)), [Span::of(at(20))]);
        assert_eq!(ours.above(0, at(20)), []);
        assert!(ours.lock().is_empty());
    }
}
