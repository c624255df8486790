//! The admin API: an axum router over a running scheduler.
//!
//! ```
//! use scheduler_admin::{AdminApi, Authenticator, Grant, Permission, Roles, health_router};
//! use scheduler_core::SchedulerHandle;
//!
//! fn routes(handle: SchedulerHandle, tokens: impl Authenticator) -> axum::Router {
//!     let roles = Roles::new().role("admin", Grant::all()).role("auditor", Grant::of([Permission::Read]));
//!     AdminApi::new(handle.clone(), tokens, roles).router().merge(health_router(handle))
//! }
//! ```
//!
//! # Endpoints
//!
//! Under [`PREFIX`], each after the [`Authenticator`] has said who calls, and the [`Authorizer`] that they may:
//!
//! | method and path | permission | answers |
//! | --- | --- | --- |
//! | `GET /` (with and without the slash) | `scheduled_job.read` | all jobs of this instance, by id |
//! | `GET /{job_id}` | `scheduled_job.read` | one job, with its `latest_execution` |
//! | `GET /{job_id}/history` | `scheduled_job.read` | a page of its executions, newest first |
//! | `GET /{job_id}/next` | `scheduled_job.read` | the instants that its trigger names next |
//! | `GET /executions/recent` | `scheduled_job.read` | a page of all jobs' executions |
//! | `GET /executions/{id}` | `scheduled_job.read` | one execution |
//! | `GET /instances` | `scheduled_job.read` | the instances that share the store |
//! | `GET /audit` | `scheduled_job.read` | who did what, and who was refused, newest first |
//! | `GET /events` | `scheduled_job.read` | what happens, as it happens, on every instance: server-sent events |
//! | `GET /openapi.json` | `scheduled_job.read` | all of this in OpenAPI 3.1 |
//! | `POST /{job_id}/trigger` | `scheduled_job.execute` | runs it now: 202 with the execution, its `url` and `Location` |
//! | `POST /executions/{id}/cancel` | `scheduled_job.execute` | 200 with one that waited and never runs, 202 with one that is asked to stop |
//! | `POST /executions/{id}/retry` | `scheduled_job.execute` | 202 with one more attempt at its occurrence |
//! | `POST /{job_id}/pause` | `scheduled_job.manage` | its schedule starts nothing until it is resumed, or until `until` |
//! | `POST /{job_id}/resume` | `scheduled_job.manage` | its schedule goes on with the next occurrence |
//! | `POST /{job_id}/skip` | `scheduled_job.manage` | keeps one occurrence to come from running: 201 with its row |
//! | `POST /{job_id}/backfill` | `scheduled_job.manage` | runs what never ran in a range: 202, or 200 for a dry run, with each occurrence |
//!
//! [`Startup`] answers probes while the service starts, which takes long where tables are migrated.
//! [`health_router`] adds `/healthz` and `/readyz`, which need no permission. `GET` paths take `HEAD`, too. A job that only
//! another instance has is paused, resumed, skipped and backfilled all the same, and is not listed.
//!
//! # Parameters
//!
//! | where | name | values |
//! | --- | --- | --- |
//! | lists of executions | `page`, `limit` | from 1; 1 to 100, 20 unless given |
//! | | `cursor` | a page's `meta.next_cursor`, in place of `page` and with the same filters: it neither repeats nor leaves out a row while rows are added, and counts nothing |
//! | | `status`, `origin` | one or several, separated by commas |
//! | | `instance`, `actor` | which instance ran them; who asked for them |
//! | | `from`, `to` | when they were made: instants with their offset, `to` not included |
//! | `executions/recent` | `hours` | 1 to 168, 24 unless `from` is given |
//! | | `job` | a job's id |
//! | `audit` | `limit`, `cursor`, `actor`, `job`, `from`, `to` | as above |
//! | | `action`, `execution` | one or several, separated by commas; an execution's id |
//! | `next` | `count` | 1 to 1,000, 10 unless given |
//! | `trigger` | `wait` | `1s` to `60s`: 200 once the occurrence's last attempt has ended, 202 if time runs out |
//! | | header `Idempotency-Key` | 1 to 200 visible ASCII characters: a repetition is 200 with the first attempt, and runs nothing |
//! | | headers `traceparent`, `tracestate` | W3C's: each attempt continues that trace; malformed ones are ignored |
//!
//! A name that is not listed is left alone; one that is listed may be given once.
//!
//! Bodies are nothing, or an object as `application/json` of at most 64 KiB. Each takes `reason`, at most 1,000 characters
//! for the audit, and: `trigger` `params`, `pause` `until`, `skip` `scheduled_at`, `backfill` `from`, `to` and `dry_run`.
//!
//! # Answers
//!
//! Each is `{"status": "success", "message": "…", "data": …}`, a page also has
//! `"meta": {"page", "limit", "total_items", "total_pages", "next_cursor"}` (by cursor `limit` and `next_cursor` alone).
//! An error has `"status": "error"` and a stable `code`; its `message` is for people and may change. Instants are
//! RFC 3339 with the offset of the job's zone, or of UTC where this instance does not have the job.
//! No answer may be cached (`Cache-Control: no-store`); whoever keeps one's `ETag` and sends it as `If-None-Match` is told
//! 304 while nothing has changed.
//!
//! | status | `code` | when | `data` |
//! | --- | --- | --- | --- |
//! | 401 | `unauthenticated` | nobody knows who calls; asked before everything else | |
//! | 403 | `forbidden` | the caller lacks the permission, or their role is unknown | |
//! | 404 | `not_found` | no such job, execution or path, or a job that the caller may not read | |
//! | 405 | `method_not_allowed` | the path does not take the method; `Allow` names those it takes | |
//! | 422 | `invalid_parameter` | a parameter or header is wrong, or given twice | `parameter` |
//! | 400 | `invalid_body` | the body is not JSON | |
//! | 422 | `invalid_body` | the body is JSON and does not fit | `field` |
//! | 413 | `body_too_large` | the body has more than 64 KiB | |
//! | 415 | `unsupported_media_type` | the body is not `application/json` | |
//! | 409 | `already_running` | the job runs, or waits for its next attempt | `execution_id`, `url` |
//! | 409 | `idempotency_conflict` | another request was made under the key | |
//! | 409 | `already_paused` | the job is paused | `pause` |
//! | 409 | `not_paused` | the job is not | |
//! | 409 | `already_ended` | the execution has ended, and can't be cancelled | `execution_id`, `status`, `url` |
//! | 409 | `not_retryable` | the execution is open, has succeeded or never ran, or another attempt follows it | the same, of the one that follows |
//! | 409 | `already_decided` | the occurrence to skip has its row | the same |
//! | 429 | `rate_limited` | more is asked at once than is served; `Retry-After` says when to come back | |
//! | 503 | `unavailable` | the store, or what knows the callers, is away; `Retry-After` says when to come back | |
//! | 500 | `internal` | nobody outside can mend it | `error_id`, under which the log has the cause |
//!
//! Passwords of URLs, bearer tokens, and what fields and parameters named `password`, `token`, `secret` and the like hold
//! are `[redacted]` in messages, traces, results, reasons and the audit.
//!
//! Causes, SQL and hosts stay in the log. Where the end of a run can't be awaited, as the store went away meanwhile,
//! the answer is 202: the run is requested.
//!
//! # Events
//!
//! `GET /events` tells `execution` (a row was made, has started or ended), `audit` (what somebody did, or was refused) and
//! `reset` (more has happened than is told: read again what is shown), each within a second, whichever instance it happened
//! on: it is read from the store while somebody listens. Of several changes of a row between two looks the last is told. A
//! stream ends after five minutes, at the end of the caller's token, and once the scheduler has stopped
//! ([`AdminApi::with_stop`] ends it sooner); who comes back with `Last-Event-ID`, to any
//! instance, is told what they missed within the last hour, some of it twice.
//!
//! # Dashboard
//!
//! With the feature `dashboard`, `AdminApi::dashboard` makes pages for operators from the same parts: jobs, a timeline,
//! executions, instances and the audit, in English and Indonesian, with forms for all that the API does.
//!
//! # Metrics
//!
//! With the feature `metrics`, `Metrics` counts what the scheduler does, for Prometheus, and serves it at `/metrics` on a router
//! of its own, which needs no permission, as it has no caller: serve it where only they come who may know the ids of jobs.
//!
//! # Limits
//!
//! 64 requests are served at once (see [`AdminApi::with_request_limit`]), 256 may wait for an execution's end and 256 listen, or
//! take a file of the dashboard's.
//! A body arrives within 10 s. What a listener does not read is not kept for them beyond 1,024 events; a connection on which
//! nobody reads is the server's to close, such as by `TCP_USER_TIMEOUT`.

mod api;
mod attempt;
mod audit;
mod authenticate;
mod authorize;
mod backfill;
mod body;
mod caller;
mod cursor;
#[cfg(feature = "dashboard")]
mod dashboard;
mod endpoint;
mod envelope;
mod error;
mod etag;
mod events;
mod execution;
mod guard;
mod health;
mod instance;
mod job;
mod limits;
mod logs;
#[cfg(feature = "metrics")]
mod metrics;
mod occurrence;
mod openapi;
mod page;
mod path;
mod pause;
mod query;
mod roles;
mod startup;
mod time;
mod trigger;

pub use api::AdminApi;
pub use async_trait::async_trait;
pub use authenticate::{AuthError, Authenticator, Principal};
pub use authorize::{Authorizer, On, Permission};
#[cfg(feature = "dashboard")]
pub use dashboard::{Dashboard, SessionKey, SessionKeyError};
pub use health::health_router;
#[cfg(feature = "metrics")]
pub use metrics::{Metrics, MetricsError};
pub use path::PREFIX;
pub use roles::{Grant, Roles};
use scheduler_core::redact;
pub use startup::Startup;
