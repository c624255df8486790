//! The shape of every answer.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;
use serde_json::Value;

use crate::error::Code;

/// What every answer is: status, message and data; `meta` with a page, `code` with an error.
#[derive(Debug, Serialize)]
pub(crate) struct Envelope<T> {
    status: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Value>,
}

impl<T: Serialize> Envelope<T> {
    pub(crate) fn success(message: impl Into<String>, data: T) -> Self {
        Self { status: "success", message: message.into(), code: None, data, meta: None }
    }

    pub(crate) fn error(code: Code, message: String, data: T) -> Self {
        Self { status: "error", message, code: Some(code.as_str()), data, meta: None }
    }

    pub(crate) fn with_meta(mut self, meta: Value) -> Self {
        self.meta = Some(meta);
        self
    }

    pub(crate) fn into_response(self, status: StatusCode) -> Response {
        let body = serde_json::to_vec(&self).expect("text keys and finite numbers are always JSON");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
