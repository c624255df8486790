//! How the backends answer, said once when it changes.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use scheduler_cron::ZoneData;
use tracing::{info, warn};

use crate::event::{Backend, Event, Events};

/// How a running scheduler is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Health {
    /// Whether the instance starts what is due: it was announced, its store answers, and it does not drain.
    pub ready: bool,
    /// What works less well than it could, in words for people; empty when all is well.
    pub degraded: Vec<String>,
    /// The release of the IANA zone data that the clocks of zones follow, as `2026f`.
    pub zone_data: &'static str,
}

/// How long the agenda's loop, which goes round once a second, may take before it counts as standing still.
pub(crate) const LONGEST_STANDSTILL: Duration = Duration::from_secs(10);

/// Keeps the state of both backends, and tells its changes, not its ticks.
#[derive(Debug)]
pub(crate) struct HealthLog {
    state: Mutex<State>,
    events: Events,
    zone_data: ZoneData,
    /// Whether some job follows a zone's clock, so that the data's age matters.
    follows_zones: bool,
}

#[derive(Debug, Default)]
struct State {
    store_error: Option<String>,
    lock_error: Option<String>,
    /// Whether the lock backend decides alone, as the store is not shared.
    locks_decide: bool,
    /// Parts of the engine that panicked and went on.
    panicked: BTreeSet<&'static str>,
    started: bool,
    draining: bool,
    /// Whether the service dropped the scheduler instead of stopping it.
    dropped: bool,
    /// The uptime at which the agenda's loop last went round.
    ticked_at: Option<Duration>,
}

impl HealthLog {
    pub(crate) fn new(events: Events, zone_data: ZoneData, follows_zones: bool) -> Self {
        Self { state: Mutex::default(), events, zone_data, follows_zones }
    }

    /// What is wrong with the zone data at this time, in words.
    pub(crate) fn old_zone_data(&self, now: DateTime<Utc>) -> Option<String> {
        let newest = self.zone_data.newest_change().filter(|_| self.follows_zones && self.zone_data.is_old_at(now))?;
        let version = self.zone_data.version();
        Some(format!(
            "the zone data, IANA {version}, knows of no country's change of its clock after {}",
            newest.date_naive()
        ))
    }

    /// Notes that the agenda's loop goes round; answers how long after the last time.
    pub(crate) fn ticked(&self, uptime: Duration) -> Option<Duration> {
        self.state().ticked_at.replace(uptime).map(|last| uptime.saturating_sub(last))
    }

    pub(crate) fn started(&self) {
        self.state().started = true;
    }

    pub(crate) fn draining(&self) {
        self.state().draining = true;
    }

    /// Notes that the service let go of what `start` returned: nothing runs any more, and nobody meant that.
    pub(crate) fn dropped(&self) {
        self.state().dropped = true;
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.state().dropped
    }

    /// Notes that a part of the engine panicked: it goes on, and the operator should know.
    pub(crate) fn panicked(&self, part: &'static str) {
        self.state().panicked.insert(part);
    }

    pub(crate) fn store_answered(&self) {
        if self.state().store_error.take().is_some() {
            info!("the store answers again");
            self.events.tell(Event::BackendBack { backend: Backend::Store });
        }
    }

    pub(crate) fn store_failed(&self, error: &dyn std::error::Error) {
        let text = chain(error);
        if self.state().store_error.replace(text.clone()).is_none() {
            self.events.tell(Event::BackendAway { backend: Backend::Store });
            warn!(
                error = text,
                "the store is away: nothing starts until it answers; what becomes due is tried again until its start deadline, then caught up or recorded as missed"
            );
        }
    }

    pub(crate) fn locks_answered(&self) {
        if self.state().lock_error.take().is_some() {
            info!("the lock backend answers again");
            self.events.tell(Event::BackendBack { backend: Backend::Locks });
        }
    }

    pub(crate) fn locks_failed(&self, error: &dyn std::error::Error, store_decides: bool) {
        let text = chain(error);
        self.state().locks_decide = !store_decides;
        if self.state().lock_error.replace(text.clone()).is_none() {
            let next = if store_decides { "the store decides alone" } else { "nothing starts until it answers" };
            self.events.tell(Event::BackendAway { backend: Backend::Locks });
            warn!(error = text, "the lock backend is away: {next}");
        }
    }

    /// The report at this uptime and time, which a thread of the service's asks for: it sees the scheduler's own stand still.
    pub(crate) fn report(&self, uptime: Duration, now: DateTime<Utc>) -> Health {
        let state = self.state();
        let mut degraded = Vec::new();
        if state.store_error.is_some() {
            degraded.push("the store does not answer".to_owned());
        }
        if state.lock_error.is_some() {
            degraded.push("the lock backend does not answer".to_owned());
        }
        degraded.extend(state.panicked.iter().map(|part| format!("the scheduler's {part} panicked and went on")));
        degraded.extend(self.old_zone_data(now));
        if state.dropped {
            let cure = "keep what `start` returned for as long as the service runs, and end it by `shutdown`";
            degraded.push(format!("the scheduler was dropped, and starts nothing any more: {cure}"));
        }
        if state.draining {
            degraded.push("the instance is shutting down".to_owned());
        }
        let stands =
            state.ticked_at.map(|last| uptime.saturating_sub(last)).filter(|stood| *stood > LONGEST_STANDSTILL);
        let stands = stands.filter(|_| !state.draining && !state.dropped);
        degraded.extend(stands.map(|stood| format!("the scheduler's loop has stood still for {} s", stood.as_secs())));
        let decides = state.store_error.is_none() && !(state.locks_decide && state.lock_error.is_some());
        let ready = state.started && !state.draining && !state.dropped && stands.is_none() && decides;
        Health { ready, degraded, zone_data: self.zone_data.version() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error and its sources on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_zone_data_is_told_where_a_job_follows_a_zone_s_clock() {
        let data = ZoneData::in_use();
        let newest = data.newest_change().expect("known of the data in the binary");
        let degraded = |follows_zones, days| {
            let log = HealthLog::new(Events::default(), data, follows_zones);
            let health = log.report(Duration::ZERO, newest + chrono::TimeDelta::days(days));
            assert_eq!(health.zone_data, data.version());
            health.degraded
        };
        assert!(degraded(true, 365).is_empty());
        let told = degraded(true, 366);
        assert!(told.len() == 1 && told[0].contains(data.version()), "{told:?}");
        assert!(degraded(false, 366).is_empty());
    }
}
