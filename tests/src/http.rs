//! The admin API, as a client sees it.

use serde_json::Value;
use ureq::Agent;

/// An API at a URL, with a token.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    token: Option<String>,
    agent: Agent,
}

/// An answer: its status, and its body as JSON (`null` where it is none).
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Api {
    /// The API at a base URL such as `http://127.0.0.1:8002`.
    #[must_use]
    pub fn new(base: &str, token: Option<&str>) -> Self {
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Self { base: base.trim_end_matches('/').to_owned(), token: token.map(str::to_owned), agent }
    }

    /// Reads a path.
    ///
    /// # Panics
    /// When the service does not answer.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        answer(request.call())
    }

    /// Posts a body to a path.
    ///
    /// # Panics
    /// When the service does not answer.
    #[must_use]
    pub fn post(&self, path: &str, content_type: &str, body: &str) -> Answer {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        answer(request.send(body))
    }
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = response.expect("the service answers");
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().unwrap_or_default();
    Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
}
