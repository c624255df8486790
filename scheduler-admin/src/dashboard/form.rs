//! What a form says.

use axum::{
    extract::Request,
    http::{HeaderMap, Uri, header},
};

use crate::{body, error::ApiError, query::Query};

/// Reads a form.
pub(super) async fn read(request: Request) -> Result<Query, ApiError> {
    let bytes = body::bytes(request.into_body()).await?;
    // A form is written as a query is.
    let query = std::str::from_utf8(&bytes).ok().and_then(|text| format!("/?{text}").parse::<Uri>().ok());
    Query::of(&query.ok_or_else(|| ApiError::body("the form can't be read"))?)
}

/// Whether the browser says that a form was sent from this site; one that says nothing is left to the form's own token.
pub(super) fn is_of_this_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text(header::HOST.as_str()).unwrap_or_default();
            !host.is_empty()
                && origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_another_site_is_known() {
        let of = |pairs: &[(&'static str, &'static str)]| {
            let pairs =
                pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
            is_of_this_site(&pairs.collect::<HeaderMap>())
        };
        assert!(of(&[]) && of(&[("sec-fetch-site", "same-origin")]) && of(&[("sec-fetch-site", "none")]));
        assert!(of(&[("origin", "https://hris.example:8443"), ("host", "HRIS.example:8443")]));
        for site in ["cross-site", "same-site", ""] {
            assert!(!of(&[("sec-fetch-site", site), ("origin", "https://a"), ("host", "a")]), "{site}");
        }
        for origin in ["null", "https://evil.example", "https://a.evil", "a", ""] {
            assert!(!of(&[("origin", origin), ("host", "a")]), "{origin}");
        }
        assert!(!of(&[("origin", "https://")]));
    }
}
