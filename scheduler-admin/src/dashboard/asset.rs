//! The files that pages load, from within the program.

use std::sync::LazyLock;

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, header},
    response::Response,
    routing::get,
};

use sha2::{Digest as _, Sha256};

use super::Dashboard;

const FILES: [(&str, &str, &str); 3] = [
    ("/static/app.css", "text/css; charset=utf-8", include_str!("assets/app.css")),
    ("/static/app.js", "text/javascript; charset=utf-8", include_str!("assets/app.js")),
    ("/static/icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

/// A word that is another one when a file is: what is kept under it need not be asked for again.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let mut digest = Sha256::new();
        FILES.iter().for_each(|(_, _, text)| digest.update(text));
        digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    });
    &VERSION
}

pub(super) fn routes() -> Router<Dashboard> {
    FILES
        .into_iter()
        .fold(Router::new(), |routes, (path, kind, text)| routes.route(path, get(async move || answer(kind, text))))
}

fn answer(kind: &'static str, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pages_load_is_small_and_names_nothing_elsewhere() {
        // 30 KB compressed is the most; uncompressed it is a fraction of that already.
        assert!(FILES.iter().map(|(_, _, text)| text.len()).sum::<usize>() < 30_000);
        for (path, _, text) in FILES {
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("url("), "{path}");
        }
    }
}
