//! The bodies of requests: JSON objects with known fields.

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, header},
};
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::{error::ApiError, time};

/// The longest body, in bytes.
pub(crate) const LONGEST: usize = 64 * 1024;
/// The longest reason, in characters: what fits a line of the audit.
const LONGEST_REASON: usize = 1_000;

/// The fields of a body; none where there was no body. What is null counts as not given.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads the body of a request, never more than the limit of it; a field that is not among these is a mistake.
    pub(crate) async fn read(request: Request, known: &[&str]) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = bytes(body).await?;
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        if !is_json(&parts.headers) {
            return Err(ApiError::not_json_type());
        }
        let value = serde_json::from_slice(&bytes).map_err(|error| ApiError::not_json(&error))?;
        Self::of(value, known)
    }

    /// By hand, so that the answer names the field.
    fn of(value: Value, known: &[&str]) -> Result<Self, ApiError> {
        let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
        let Value::Object(mut fields) = value else {
            return Err(ApiError::body(format!("the body must be an object with any of {}", names.join(", "))));
        };
        if let Some(name) = fields.keys().find(|name| !known.contains(&name.as_str())) {
            let shown: String = name.chars().take(64).collect();
            return Err(ApiError::body(format!("unknown field `{shown}`; there are {}", names.join(", "))));
        }
        fields.retain(|_, value| !value.is_null());
        Ok(Self(fields))
    }

    /// Any value.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Why somebody does what they do.
    pub(crate) fn reason(&mut self) -> Result<Option<String>, ApiError> {
        match self.take("reason") {
            None => Ok(None),
            Some(Value::String(reason)) if reason.chars().count() > LONGEST_REASON => {
                Err(ApiError::field("reason", format!("has more than {LONGEST_REASON} characters")))
            }
            Some(Value::String(reason)) => Ok(Some(reason)),
            Some(_) => Err(ApiError::field("reason", "must be a text")),
        }
    }

    /// An instant.
    pub(crate) fn instant(&mut self, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let at = value.as_str().and_then(time::parse);
        at.map(Some).ok_or_else(|| ApiError::field(name, time::FORM))
    }

    /// An instant that must be given.
    pub(crate) fn needed_instant(&mut self, name: &str) -> Result<DateTime<Utc>, ApiError> {
        self.instant(name)?.ok_or_else(|| ApiError::field(name, "is needed"))
    }

    /// Whether something is wanted; not, unless said.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, ApiError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(ApiError::field(name, "must be true or false")),
        }
    }
}

/// A whole body, never more than the limit of it.
pub(crate) async fn bytes(body: Body) -> Result<Bytes, ApiError> {
    let collected = Limited::new(body, LONGEST).collect().await;
    let whole = collected.map_err(|error| match error.is::<LengthLimitError>() {
        true => ApiError::body_too_large(LONGEST),
        false => ApiError::broken_body(),
    })?;
    Ok(whole.to_bytes())
}

/// Whether the content type is `application/json`, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    given
        .and_then(|given| given.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
