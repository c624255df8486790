//! Answers that have not changed.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;

/// Gives an answer its `ETag`, or answers 304 to who has it already: it spares the line, not the store.
pub(crate) async fn tagged(wanted: Option<HeaderValue>, response: Response) -> Response {
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return axum::response::IntoResponse::into_response(ApiError::internal(&error)),
    };
    let digest = Sha256::digest(&bytes);
    // Half of it: nobody meets two answers of one tag, and a header is no place to be long in.
    let tag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let value = HeaderValue::from_str(&format!("\"{tag}\"")).expect("hex digits in quotes");
    let known = wanted.as_ref().and_then(|wanted| wanted.to_str().ok()).is_some_and(|wanted| names(wanted, &tag));
    parts.headers.insert(header::ETAG, value);
    if known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// What the request's `If-None-Match` says.
pub(crate) fn wanted(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(header::IF_NONE_MATCH).cloned()
}

/// Whether a list of tags has this one; a weak tag counts (RFC 9110, section 13.1.2).
fn names(list: &str, tag: &str) -> bool {
    let unquoted = |given: &str| given.trim().trim_start_matches("W/").trim_matches('"') == tag;
    list.trim() == "*" || list.split(',').any(unquoted)
}
