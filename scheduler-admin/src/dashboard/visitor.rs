//! Who looks at a page.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use scheduler_core::store::Action;

use super::{Dashboard, frame::Frame, session::Session};
use crate::{
    AuthError, Permission,
    caller::Caller,
    endpoint::{ENDPOINTS, Endpoint, NOTHING},
    error::ApiError,
};

/// The cookie of the session.
pub(super) const COOKIE: &str = "scheduler_session";

/// Somebody who has signed in, and how their pages are framed.
pub(super) struct Visitor {
    pub(super) caller: Caller,
    pub(super) session: Session,
    pub(super) frame: Frame,
    pub(super) csrf: String,
}

impl Visitor {
    /// Whoever sent a request, if they may do what an endpoint of the API does.
    pub(super) async fn of(
        dashboard: &Dashboard,
        endpoint: &'static Endpoint,
        parts: &mut Parts,
    ) -> Result<Self, ApiError> {
        let slot = dashboard.api.limits.request()?;
        let now = dashboard.api.handle.now();
        let session = cookie(&parts.headers, COOKIE).and_then(|value| Session::open(value, &dashboard.key, now));
        let session = session.ok_or_else(|| ApiError::refused(AuthError::Unauthenticated, Permission::Read))?;
        let caller = Caller::let_in(&dashboard.api, session.principal(), endpoint, parts).await?.in_slot(slot);
        let frame = parts.extensions.get::<Frame>().expect("the frame is around every page").clone();
        let csrf = session.csrf(&dashboard.key);
        Ok(Self { caller, session, frame, csrf })
    }
}

impl FromRequestParts<Dashboard> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, ApiError> {
        Self::of(dashboard, &NOTHING, parts).await
    }
}

/// The endpoint of the API that does something.
pub(super) fn endpoint_of(action: Action) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.action == Some(action))
}

/// A cookie's value.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(given, _)| *given == name).map(|(_, value)| value)
}
