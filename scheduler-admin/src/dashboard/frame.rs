//! What is around every page: its head, its navigation, and the headers that keep others out.

use axum::{
    extract::{OriginalUri, Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse as _, Redirect, Response},
};
use maud::{DOCTYPE, Markup, html};
use scheduler_cron::Language;

use super::{
    Dashboard, asset,
    visitor::{Visitor, cookie},
    words::{self, Words},
};
use crate::{
    error::Failed,
    query::{Query, escaped},
};

/// What pages may load and do: nothing from elsewhere, nothing inline, and in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// How a page is framed.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) language: Language,
    pub(super) words: &'static Words,
    /// The way from the page to the dashboard's root, wherever that is mounted.
    pub(super) root: String,
    /// The page's own path below the root, with its query.
    pub(super) here: String,
    /// Its query without the language's choice.
    others: String,
    title: String,
    pub(super) environment: Option<String>,
}

impl Frame {
    fn of(dashboard: &Dashboard, request: &Request) -> Self {
        let uri = request.uri();
        let headers = request.headers();
        let asked = Query::of(uri).ok().and_then(|query| words::language(query.get("lang").ok()??));
        let kept = || cookie(headers, "scheduler_lang").and_then(words::language);
        let accepted = || headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok().and_then(words::language);
        let language = asked.or_else(kept).or_else(accepted).unwrap_or(Language::English);
        let depth = uri.path().trim_start_matches('/').matches('/').count();
        Self {
            language,
            words: Words::of(language),
            root: if depth == 0 { "./".to_owned() } else { "../".repeat(depth) },
            here: here(uri),
            others: Query::of(uri).map(|query| query.without(&["lang"])).unwrap_or_default(),
            title: dashboard.title.clone(),
            environment: dashboard.environment.clone(),
        }
    }

    /// The service, and its environment where that has a name: what an action is in.
    pub(super) fn place(&self) -> Markup {
        html! { b { (self.title) } @if let Some(environment) = &self.environment { " " span class="env" { (environment) } } }
    }

    /// A whole page.
    pub(super) fn page(&self, around: Around<'_>, title: &str, content: Markup) -> Response {
        let (words, root) = (self.words, &self.root);
        let other = if self.language == Language::English { "id" } else { "en" };
        let (Around { visitor, navigates, is_live, again }, others) = (around, &self.others);
        let sections = [
            ("", words.jobs),
            ("timeline", words.timeline),
            ("executions", words.executions),
            ("instances", words.instances),
            ("audit", words.audit),
        ];
        let markup = html! {
            (DOCTYPE)
            html lang=(words::tag(self.language)) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) " · " (self.title) }
                    link rel="stylesheet" href={ (root) "static/app.css?v=" (asset::version()) };
                    link rel="icon" href={ (root) "static/icon.svg?v=" (asset::version()) } type="image/svg+xml";
                    @if is_live { script src={ (root) "static/app.js?v=" (asset::version()) } defer {} }
                    @if again { noscript { meta http-equiv="refresh" content="5"; } }
                }
                body data-root=(root) data-live=(words.live) data-reconnecting=(words.reconnecting) {
                    a class="skip-link" href="#main" { (words.skip_to_content) }
                    header {
                        b { (self.title) }
                        @if navigates {
                            nav aria-label=(self.title) {
                                @for (path, name) in sections {
                                    a href={ (root) (path) } aria-current=[self.is_in(path).then_some("page")] { (name) }
                                }
                            }
                        }
                        span id="live" role="status" {}
                        @if let Some(environment) = &self.environment { span class="env" { (environment) } }
                        a class="lang" lang=(other) href={ "?" (others) @if !others.is_empty() { "&" } "lang=" (other) } { (words.other_language) }
                        @if let Some(visitor) = visitor {
                            span class="who" { bdi { (visitor.caller.name()) } }
                            form method="post" action={ (root) "sign-out" } {
                                (visitor.csrf_field())
                                button { (words.sign_out) }
                            }
                        }
                    }
                    main id="main" tabindex="-1" data-again=[again.then_some("")] { (content) }
                }
            }
        };
        Html(markup.into_string()).into_response()
    }

    fn is_in(&self, section: &str) -> bool {
        let first = self.here.split(['/', '?']).next().unwrap_or_default();
        match section {
            "" => first.is_empty() || first == "jobs",
            section => first == section,
        }
    }
}

/// For whom a page is, and what it does by itself.
#[derive(Clone, Copy, Default)]
pub(super) struct Around<'a> {
    pub(super) visitor: Option<&'a Visitor>,
    /// Whether it leads to the other pages.
    pub(super) navigates: bool,
    /// Whether it shows what happens as it happens.
    pub(super) is_live: bool,
    /// Whether it is read again by itself, as what it needs was away.
    pub(super) again: bool,
}

impl Visitor {
    /// What every form carries.
    pub(super) fn csrf_field(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.csrf); }
    }

    pub(super) fn page(&self, title: &str, content: Markup) -> Response {
        self.frame.page(Around { visitor: Some(self), navigates: true, is_live: true, again: false }, title, content)
    }

    /// A page as far as it is known while the store is away.
    pub(super) fn page_without_store(&self, title: &str, content: Markup) -> Response {
        let words = self.frame.words;
        let content = html! {
            div class="card note bad" role="alert" { p { b { "⚠ " (words.away) } } p { (words.away_jobs) } }
            (content)
        };
        let around = Around { visitor: Some(self), navigates: true, is_live: true, again: true };
        let mut response = self.frame.page(around, title, content);
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    }
}

/// The path and query of a page, without the slash before it.
fn here(uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    path.trim_start_matches('/').to_owned()
}

/// Puts the frame around a page: who has not signed in is sent there, and what went wrong is told as a page.
pub(super) async fn around(State(dashboard): State<Dashboard>, mut request: Request, next: Next) -> Response {
    if let Some(slash) = missing_slash(&request) {
        return Redirect::permanent(&slash).into_response();
    }
    let frame = Frame::of(&dashboard, &request);
    let asked = request.uri().query().is_some_and(|query| query.contains("lang="));
    request.extensions_mut().insert(frame.clone());
    let mut response = next.run(request).await;
    if let Some(failed) = response.extensions_mut().remove::<Failed>() {
        response = trouble(&frame, &failed, response.status());
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if asked {
        let kept = format!("scheduler_lang={}; SameSite=Lax; Max-Age=31536000", words::tag(frame.language));
        headers.append(header::SET_COOKIE, HeaderValue::from_str(&kept).expect("letters and digits"));
    }
    response
}

/// Where the root is, for who asked for it without the slash at its end, from which relative links lead elsewhere.
fn missing_slash(request: &Request) -> Option<String> {
    let OriginalUri(original) = request.extensions().get::<OriginalUri>()?;
    let last = original.path().rsplit('/').next().filter(|last| !last.is_empty())?;
    (request.uri().path() == "/").then(|| format!("{last}/"))
}

fn trouble(frame: &Frame, failed: &Failed, status: StatusCode) -> Response {
    if status == StatusCode::UNAUTHORIZED {
        let next = format!("{}sign-in?next={}", frame.root, escaped(&frame.here));
        return Redirect::to(&next).into_response();
    }
    let words = frame.words;
    let again = status == StatusCode::SERVICE_UNAVAILABLE;
    let content = html! {
        h1 { (words.trouble) }
        div class="card note bad" role="alert" {
            p { b { "⚠ " (words.code_of(failed.code)) } }
            @if again { p { (words.away) } }
            p class="sub" lang="en" { (failed.message) }
            p class="sub" { code { (failed.code) } }
        }
        p { a href=(frame.root) { (words.back) } }
    };
    let mut response =
        frame.page(Around { visitor: None, navigates: true, is_live: again, again }, words.trouble, content);
    *response.status_mut() = status;
    response
}
