//! The body of a trigger.

use axum::{
    extract::Request,
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;

use crate::error::ApiError;

/// The longest body, in bytes.
const LONGEST: usize = 64 * 1024;

/// What a trigger may say: `{"params": …, "reason": …}`, or nothing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct TriggerBody {
    pub(super) params: Option<Value>,
    pub(super) reason: Option<String>,
}

impl TriggerBody {
    /// Reads it from a request, never more than the limit of it.
    pub(super) async fn read(request: Request) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let collected = Limited::new(body, LONGEST).collect().await;
        let bytes = collected.map_err(|error| match error.is::<LengthLimitError>() {
            true => ApiError::body_too_large(LONGEST),
            false => ApiError::broken_body(),
        })?;
        let bytes = bytes.to_bytes();
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        if !is_json(&parts.headers) {
            return Err(ApiError::not_json_type());
        }
        serde_json::from_slice(&bytes).map_err(|error| ApiError::not_json(&error)).and_then(Self::from_json)
    }

    /// By hand, so that the answer names the field.
    fn from_json(value: Value) -> Result<Self, ApiError> {
        let Value::Object(fields) = value else {
            return Err(ApiError::body("the body must be an object with `params`, `reason`, both or none"));
        };
        let mut body = Self::default();
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("params" | "reason", Value::Null) => {}
                ("params", params) => body.params = Some(params),
                ("reason", Value::String(reason)) => body.reason = Some(reason),
                ("reason", _) => return Err(ApiError::body("`reason` must be a text")),
                _ => {
                    let shown: String = name.chars().take(64).collect();
                    return Err(ApiError::body(format!("unknown field `{shown}`; there are `params` and `reason`")));
                }
            }
        }
        Ok(body)
    }
}

/// Whether the content type is `application/json`, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    given
        .and_then(|given| given.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
