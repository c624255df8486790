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
//! Under [`PREFIX`], each after the [`Authorizer`] has let the caller in:
//!
//! | method and path | permission | answers |
//! | --- | --- | --- |
//! | `GET /` (with and without the slash) | `scheduled_job.read` | all jobs of this instance, by id |
//! | `GET /{job_id}` | `scheduled_job.read` | one job, with its `latest_execution` |
//! | `POST /{job_id}/trigger` | `scheduled_job.execute` | runs it now: 202 with the execution, its `url` and `Location` |
//! | `GET /{job_id}/history` | `scheduled_job.read` | a page of its executions, newest first |
//! | `GET /executions/recent` | `scheduled_job.read` | a page of all jobs' executions |
//! | `GET /executions/{id}` | `scheduled_job.read` | one execution |
//!
//! [`health_router`] adds `/healthz` and `/readyz`, which need no permission. `GET` paths take `HEAD`, too.
//!
//! # Parameters
//!
//! | where | name | values |
//! | --- | --- | --- |
//! | lists of executions | `page`, `limit` | from 1; 1 to 100, 20 unless given |
//! | | `cursor` | a page's `meta.next_cursor`, in place of `page`: it neither repeats nor leaves out a row while rows are added, and counts nothing |
//! | | `status` | one or several statuses, separated by commas |
//! | `executions/recent` | `hours` | 1 to 168, 24 unless given |
//! | `trigger` | `wait` | `1s` to `60s`: 200 once the occurrence's last attempt has ended, 202 if time runs out |
//! | | header `Idempotency-Key` | 1 to 200 visible ASCII characters: a repetition is 200 with the first attempt, and runs nothing |
//! | | body | nothing, or `{"params": …, "reason": …}` as `application/json`, at most 64 KiB |
//!
//! A name that is not listed is left alone; one that is listed may be given once.
//!
//! # Answers
//!
//! Each is `{"status": "success", "message": "…", "data": …}`, a page also has
//! `"meta": {"page", "limit", "total_items", "total_pages", "next_cursor"}` (by cursor `limit` and `next_cursor` alone).
//! An error has `"status": "error"` and a stable `code`; its `message` is for people and may change. Instants are
//! RFC 3339 with the offset of the job's zone, or of UTC where this instance does not have the job.
//! No answer may be cached (`Cache-Control: no-store`).
//!
//! | status | `code` | when | `data` |
//! | --- | --- | --- | --- |
//! | 401 | `unauthenticated` | nobody knows who calls; asked before everything else | |
//! | 403 | `forbidden` | the caller lacks the permission | |
//! | 404 | `not_found` | no such job, execution or path | |
//! | 405 | `method_not_allowed` | the path does not take the method; `Allow` names those it takes | |
//! | 422 | `invalid_parameter` | a parameter or header is wrong, or given twice | `parameter` |
//! | 400 | `invalid_body` | the body is not JSON | |
//! | 422 | `invalid_body` | the body is JSON and does not fit | |
//! | 413 | `body_too_large` | the body has more than 64 KiB | |
//! | 415 | `unsupported_media_type` | the body is not `application/json` | |
//! | 409 | `already_running` | the job runs, or waits for its next attempt | `execution_id`, `url` |
//! | 409 | `idempotency_conflict` | another request was made under the key | |
//! | 503 | `unavailable` | the store, or what knows the callers, is away; `Retry-After` says when to come back | |
//! | 500 | `internal` | nobody outside can mend it | `error_id`, under which the log has the cause |
//!
//! Causes, SQL and hosts stay in the log. Where the end of a run can't be awaited, as the store went away meanwhile,
//! the answer is 202: the run is requested.

mod api;
mod authenticate;
mod authorize;
mod caller;
mod endpoint;
mod envelope;
mod error;
mod execution;
mod guard;
mod health;
mod job;
mod page;
mod path;
mod query;
mod roles;
mod time;
mod trigger;

pub use api::AdminApi;
pub use async_trait::async_trait;
pub use authenticate::{AuthError, Authenticator, Principal};
pub use authorize::{Authorizer, On, Permission};
pub use health::health_router;
pub use path::PREFIX;
pub use roles::{Grant, Roles};
