//! Nothing is counted: the feature `metrics` is off.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{
    engine::Engine,
    event::{Backend, Event},
    identity::JobId,
    occurrence::Origin,
    status::Reason,
    store::Decided,
};

pub(crate) const fn start(_: &Engine) {}
pub(crate) const fn told(_: &Event) {}
pub(crate) const fn body_started(_: &JobId, _: Origin, _: u32, _: Duration) {}
pub(crate) const fn body_ended(_: &JobId, _: Duration) {}
pub(crate) const fn skipped(_: &JobId, _: Reason, _: u64) {}
pub(crate) const fn decided(_: &JobId, _: &Decided) {}
pub(crate) const fn next_due(_: &JobId, _: DateTime<Utc>) {}
pub(crate) const fn leases_renewed(_: Backend, _: usize) {}
pub(crate) const fn lease_lost(_: &JobId) {}
pub(crate) const fn clock_offset(_: i64) {}
pub(crate) const fn watched(_: usize, _: usize) {}
pub(crate) const fn instances(_: usize) {}
pub(crate) const fn call_ended(_: Backend, _: &'static str, _: Duration, _: Option<&'static str>) {}
