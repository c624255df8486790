//! Signing in with a token, and out.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Redirect, Response},
};
use maud::html;

use super::{
    Dashboard, form,
    frame::{Around, Frame},
    session::Session,
    visitor::{COOKIE, Visitor},
};
use crate::{AuthError, On, Permission, error::ApiError, query::Query};

/// The parts of the dashboard that one may have wanted to see.
const SECTIONS: [&str; 6] = ["", "jobs", "timeline", "executions", "instances", "audit"];

/// `GET /sign-in`
pub(super) async fn page(axum::Extension(frame): axum::Extension<Frame>, uri: Uri) -> Result<Response, ApiError> {
    let query = Query::of(&uri)?;
    Ok(form_page(&frame, query.get("next")?.unwrap_or_default(), None))
}

/// `POST /sign-in`
pub(super) async fn sign_in(
    State(dashboard): State<Dashboard>,
    axum::Extension(frame): axum::Extension<Frame>,
    request: Request,
) -> Result<Response, ApiError> {
    let _slot = dashboard.api.limits.request()?;
    if !form::is_of_this_site(request.headers()) {
        return Err(ApiError::of_another_site());
    }
    let (mut parts, body) = request.into_parts();
    let form = form::read(Request::from_parts(parts.clone(), body)).await?;
    let next = form.get("next")?.unwrap_or_default().to_owned();
    let token = form.get("token")?.unwrap_or_default().trim();
    let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {token}")) else {
        return Ok(form_page(&frame, &next, Some(frame.words.token_wrong)));
    };
    // Asked as of a request to the API.
    parts.headers.insert(header::AUTHORIZATION, bearer);
    let principal = match dashboard.api.authenticator.authenticate(&parts).await {
        Ok(principal) => principal,
        Err(AuthError::Unauthenticated) => return Ok(form_page(&frame, &next, Some(frame.words.token_wrong))),
        Err(error) => return Err(ApiError::refused(error, Permission::Read)),
    };
    let reads = dashboard.api.authorizer.allows(&principal, Permission::Read, On::Any).await;
    if !reads.map_err(|error| ApiError::refused(error, Permission::Read))? {
        return Err(ApiError::forbidden(Permission::Read));
    }
    let now = dashboard.api.handle.now();
    let session = Session::begin(&principal, now);
    let cookie = cookie(&session.sealed(&dashboard.key), session.seconds_left(now), &dashboard);
    Ok(with_cookie(Redirect::to(&format!("{}{}", frame.root, local(&next))).into_response(), &cookie))
}

/// `POST /sign-out`
pub(super) async fn sign_out(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    request: Request,
) -> Result<Response, ApiError> {
    visitor.check(&dashboard, request).await?;
    let signed_out = Redirect::to(&format!("{}sign-in", visitor.frame.root)).into_response();
    Ok(with_cookie(signed_out, &cookie("", 0, &dashboard)))
}

fn form_page(frame: &Frame, next: &str, wrong: Option<&str>) -> Response {
    let words = frame.words;
    let content = html! {
        h1 { (words.sign_in) }
        form class="card ask" method="post" action={ (frame.root) "sign-in" } {
            @if let Some(wrong) = wrong { p class="st bad" role="alert" { "✕ " (wrong) } }
            input type="hidden" name="next" value=(local(next));
            label { (words.token) input type="password" name="token" autocomplete="current-password" required autofocus; }
            small { (words.token_help) }
            button class="main" { (words.sign_in) }
        }
    };
    let mut page = frame.page(Around::default(), words.sign_in, content);
    if wrong.is_some() {
        *page.status_mut() = StatusCode::UNAUTHORIZED;
    }
    page
}

/// A way below the dashboard's root; none leads elsewhere.
fn local(next: &str) -> &str {
    let first = next.split(['/', '?']).next().unwrap_or_default();
    let is_local =
        SECTIONS.contains(&first) && !next.starts_with('/') && next.bytes().all(|byte| byte.is_ascii_graphic());
    if is_local { next } else { "" }
}

/// Without a path, so that it is sent to the directory of this page and below, wherever that is.
fn cookie(value: &str, seconds: i64, dashboard: &Dashboard) -> String {
    let secure = if dashboard.plain { "" } else { "; Secure" };
    format!("{COOKIE}={value}; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    let cookie = HeaderValue::from_str(cookie).expect("hex digits and attributes");
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn nobody_is_sent_elsewhere_after_they_signed_in() {
        for next in ["", "jobs/a", "executions?status=failed&limit=5", "audit", "?q=a"] {
            assert_eq!(local(next), next);
        }
        for next in
            ["//evil.example", "/jobs", "https://evil.example", "javascript:alert(1)", "\\evil", "jobs\n/a", "x", "ü"]
        {
            assert_eq!(local(next), "", "{next}");
        }
    }
}
