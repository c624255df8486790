//! What is around every endpoint: a panic's answer, and the headers.

use std::{any::Any, panic::AssertUnwindSafe};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;

use crate::error::ApiError;

/// Puts it around a router.
pub(crate) fn around(router: Router) -> Router {
    router.layer(from_fn(guard))
}

async fn guard(request: Request, next: Next) -> Response {
    // The handlers share nothing that a panic could leave half-changed: the scheduler's handle keeps no state of theirs.
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answer.unwrap_or_else(|panic| {
        ApiError::internal(&format_args!("the handler panicked: {}", text(&*panic))).into_response()
    });
    let headers = response.headers_mut();
    // An answer is true now, and for its caller alone.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
