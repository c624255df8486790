//! From wall-clock times to instants: a walk along a zone's spans.

use chrono::{DateTime, TimeDelta, Utc};

use crate::civil::{DAY, END};
use crate::clock_changes::{ClockChangePolicy, ClockChanges, FoldPolicy, GapPolicy};
use crate::expr::CronExpr;
use crate::wall;
use crate::zone::{Span, Zone};

/// A longer gap is a day that does not exist; Vixie draws the line here.
pub(crate) const LONGEST_SHIFT: i64 = 3 * 3600;

/// More than any two offsets differ, and more than any fold repeats.
const MARGIN: i64 = 28 * 3600;

impl CronExpr {
    /// The first occurrence strictly after an instant, in 1970 to 2199, on the clock of a zone or of a reference to one.
    pub fn next_after(&self, after: DateTime<Utc>, zone: impl Zone) -> Option<DateTime<Utc>> {
        self.next_after_with(after, zone, ClockChangePolicy::default())
    }

    /// [`next_after`](CronExpr::next_after) under another policy for clock changes.
    pub fn next_after_with(
        &self,
        after: DateTime<Utc>,
        zone: impl Zone,
        policy: ClockChangePolicy,
    ) -> Option<DateTime<Utc>> {
        let walk = Walk { expr: self, zone: &zone, changes: policy.resolve(self.is_interval()) };
        walk.next(after.timestamp() + 1).map(instant)
    }

    /// The last occurrence strictly before an instant, in 1970 to 2199.
    pub fn prev_before(&self, before: DateTime<Utc>, zone: impl Zone) -> Option<DateTime<Utc>> {
        self.prev_before_with(before, zone, ClockChangePolicy::default())
    }

    /// [`prev_before`](CronExpr::prev_before) under another policy for clock changes.
    pub fn prev_before_with(
        &self,
        before: DateTime<Utc>,
        zone: impl Zone,
        policy: ClockChangePolicy,
    ) -> Option<DateTime<Utc>> {
        let walk = Walk { expr: self, zone: &zone, changes: policy.resolve(self.is_interval()) };
        let whole_second = before.timestamp_subsec_nanos() == 0;
        walk.previous(before.timestamp() - i64::from(whole_second)).map(instant)
    }

    /// All occurrences strictly after an instant, in order.
    pub fn upcoming<Z: Zone>(&self, after: DateTime<Utc>, zone: Z) -> impl Iterator<Item = DateTime<Utc>> + use<Z> {
        self.upcoming_with(after, zone, ClockChangePolicy::default())
    }

    /// [`upcoming`](CronExpr::upcoming) under another policy for clock changes.
    pub fn upcoming_with<Z: Zone>(
        &self,
        after: DateTime<Utc>,
        zone: Z,
        policy: ClockChangePolicy,
    ) -> impl Iterator<Item = DateTime<Utc>> + use<Z> {
        let expr = *self;
        std::iter::successors(expr.next_after_with(after, &zone, policy), move |&last| {
            expr.next_after_with(last, &zone, policy)
        })
    }

    /// The occurrences after `from`, up to and including `to`.
    pub fn occurrences_between<Z: Zone>(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        zone: Z,
    ) -> impl Iterator<Item = DateTime<Utc>> + use<Z> {
        self.occurrences_between_with(from, to, zone, ClockChangePolicy::default())
    }

    /// [`occurrences_between`](CronExpr::occurrences_between) under another policy for clock changes.
    pub fn occurrences_between_with<Z: Zone>(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        zone: Z,
        policy: ClockChangePolicy,
    ) -> impl Iterator<Item = DateTime<Utc>> + use<Z> {
        self.upcoming_with(from, zone, policy).take_while(move |&at| at <= to)
    }

    /// Whether the instant is an occurrence.
    pub fn covers(&self, instant: DateTime<Utc>, zone: impl Zone) -> bool {
        self.covers_with(instant, zone, ClockChangePolicy::default())
    }

    /// [`covers`](CronExpr::covers) under another policy for clock changes.
    pub fn covers_with(&self, instant: DateTime<Utc>, zone: impl Zone, policy: ClockChangePolicy) -> bool {
        instant
            .checked_sub_signed(TimeDelta::nanoseconds(1))
            .is_some_and(|before| self.next_after_with(before, zone, policy) == Some(instant))
    }
}

fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("1970 to 2199 are dates of chrono")
}

/// One expression on one zone's clock.
struct Walk<'a, Z> {
    expr: &'a CronExpr,
    zone: &'a Z,
    changes: ClockChanges,
}

/// How the clock enters a span.
struct Opening {
    /// The skipped times, if they are to run at the span's first instant.
    skipped: std::ops::Range<i64>,
    /// The first time on the wall clock that counts.
    first: i64,
}

impl<Z: Zone> Walk<'_, Z> {
    /// The first occurrence at or after an instant.
    fn next(&self, from: i64) -> Option<i64> {
        let mut at = from.max(-DAY);
        let mut span = self.zone.span_at(at);
        let mut search = Search::new(self.expr);
        loop {
            let offset = i64::from(span.offset);
            let mut wall = at + offset;
            if span.from > at - MARGIN {
                let opening = self.opening(span);
                let shifted = |search: &mut Search<'_>| {
                    search.at_or_after(opening.skipped.start).is_some_and(|skipped| skipped < opening.skipped.end)
                };
                if at == span.from && !opening.skipped.is_empty() && shifted(&mut search) {
                    return Some(span.from);
                }
                wall = wall.max(opening.first);
            }
            let found = search.at_or_after(wall);
            if let Some(found) = found
                && found < self.end(span)
            {
                return Some(found - offset);
            }
            if span.until == i64::MAX {
                return None;
            }
            at = span.until;
            // No clock set back from here on shows a time before `wall` again: nothing is named until shortly before the find.
            if wall < at + offset - MARGIN {
                at = at.max(found? - offset - MARGIN);
            }
            span = self.zone.span_at(at);
        }
    }

    /// The last occurrence at or before an instant.
    fn previous(&self, to: i64) -> Option<i64> {
        let mut at = to.min(END + DAY);
        loop {
            let span = self.zone.span_at(at);
            let offset = i64::from(span.offset);
            let wall = (at + offset).min(self.end(span) - 1);
            let found = wall::previous(self.expr, wall);
            if let Some(found) = found
                && found - offset >= span.from.saturating_add(MARGIN)
            {
                return Some(found - offset);
            }
            let opening = self.opening(span);
            if let Some(found) = found
                && found >= opening.first
            {
                return Some(found - offset);
            }
            if !opening.skipped.is_empty()
                && wall::next(self.expr, opening.skipped.start).is_some_and(|skipped| skipped < opening.skipped.end)
            {
                return Some(span.from);
            }
            if span.from < -DAY {
                return None;
            }
            at = span.from - 1;
            // As above, in the other direction.
            if wall > at + offset + MARGIN {
                at = at.min(found? - offset + MARGIN);
            }
        }
    }

    fn opening(&self, span: Span) -> Opening {
        let first = span.from.saturating_add(span.offset.into());
        if span.from == i64::MIN {
            return Opening { skipped: 0..0, first };
        }
        let before = span.from + i64::from(self.zone.span_at(span.from - 1).offset);
        if before > first {
            let first = if self.changes.fold == FoldPolicy::First { before } else { first };
            return Opening { skipped: 0..0, first };
        }
        let shifts = self.changes.gap == GapPolicy::Shift && first - before <= LONGEST_SHIFT;
        Opening { skipped: if shifts { before..first } else { 0..0 }, first }
    }

    /// The time on the wall clock at which the span ends, or the repeated part of it that the next span has for itself begins.
    fn end(&self, span: Span) -> i64 {
        if span.until == i64::MAX {
            return i64::MAX;
        }
        let offset = match self.changes.fold {
            FoldPolicy::Last => span.offset.min(self.zone.span_at(span.until).offset),
            FoldPolicy::First | FoldPolicy::Both => span.offset,
        };
        span.until + i64::from(offset)
    }
}

/// A search of the wall clock that remembers its last find: most spans only move the question, not the answer.
struct Search<'a> {
    expr: &'a CronExpr,
    from: i64,
    found: Option<i64>,
}

impl<'a> Search<'a> {
    fn new(expr: &'a CronExpr) -> Search<'a> {
        Search { expr, from: i64::MAX, found: None }
    }

    fn at_or_after(&mut self, wall: i64) -> Option<i64> {
        let known = self.from <= wall && self.found.is_none_or(|found| wall <= found);
        if !known {
            (self.from, self.found) = (wall, wall::next(self.expr, wall));
        }
        self.found
    }
}
