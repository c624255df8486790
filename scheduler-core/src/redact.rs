//! Secrets that somebody let slip into a message, a trace, a log line or a result: none is kept of the texts, and no answer and
//! no page shows any. For this library's own crates.

use std::borrow::Cow;

use serde_json::Value;

/// What is shown in their place.
pub const REDACTED: &str = "[redacted]";
/// How many secrets a text may have; of one with more the rest is not shown either, so that it takes no long time.
const MOST: usize = 100;
/// What a name ends with whose value is a secret.
const NAMES: [&str; 9] =
    ["password", "passwd", "secret", "token", "authorization", "cookie", "api_key", "apikey", "private_key"];
/// A name that ends so and is none.
const PUBLIC: &str = "fencing_token";

/// A text without the passwords of its URLs, its bearer tokens and JWTs, and what stands after `password=` and the like.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut rest = text;
    for _ in 0..MOST {
        match secret(rest) {
            Some((start, end)) => {
                shown += &rest[..start];
                shown += REDACTED;
                rest = &rest[end..];
            }
            None if shown.is_empty() => return Cow::Borrowed(text),
            None => return Cow::Owned(shown + rest),
        }
    }
    Cow::Owned(shown + REDACTED)
}

/// The same of an optional text.
#[must_use]
pub fn option(given: Option<String>) -> Option<String> {
    given.map(|given| text(&given).into_owned())
}

/// A value without what its secret fields hold, at any depth; its other texts as [`text`] has them.
#[must_use]
pub fn value(value: Value) -> Value {
    match value {
        Value::String(given) => Value::String(text(&given).into_owned()),
        Value::Array(items) => items.into_iter().map(self::value).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| field(name, value)).collect(),
        other => other,
    }
}

fn field(name: String, value: Value) -> (String, Value) {
    let is_secret = is_secret_name(&name) && matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_));
    let value = if is_secret { REDACTED.into() } else { self::value(value) };
    (name, value)
}

/// Whether what has this name is a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    name != PUBLIC && NAMES.iter().any(|secret| name.ends_with(secret))
}

/// Where the first secret of a text lies.
fn secret(text: &str) -> Option<(usize, usize)> {
    [password_of_url(text), bearer(text), jwt(text), assigned(text)].into_iter().flatten().min()
}

/// `://user:…@`
fn password_of_url(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("://") {
        let start = from + at + 3;
        let authority = until(&text[start..], |c| c.is_whitespace() || "/?#\"'<>`".contains(c));
        let user_info = authority.rfind('@').map(|end| &authority[..end]);
        if let Some((user, password)) = user_info.and_then(|info| info.split_once(':'))
            && !password.is_empty()
            && password != REDACTED
        {
            let start = start + user.len() + 1;
            return Some((start, start + password.len()));
        }
        from = start;
    }
    None
}

/// `Bearer …` and `Basic …`
fn bearer(text: &str) -> Option<(usize, usize)> {
    // The same length, as only ASCII changes.
    let lower = text.to_ascii_lowercase();
    let found = ["bearer ", "basic "].into_iter().filter_map(|scheme| {
        lower.match_indices(scheme).find_map(|(at, _)| {
            let start = at + scheme.len();
            let credentials = until(&text[start..], |c| !(c.is_ascii_alphanumeric() || "._~+/=-".contains(c)));
            // A word of prose is shorter, or has no digit and no sign.
            let is_one = credentials.len() >= 8 && credentials.bytes().any(|byte| !byte.is_ascii_lowercase());
            is_one.then_some((start, start + credentials.len()))
        })
    });
    found.min()
}

/// Three parts of base64url, of which the first begins as every JSON object does.
fn jwt(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("eyJ") {
        let start = from + at;
        let token = until(&text[start..], |c| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
        if token.matches('.').count() >= 2 && token.len() >= 20 {
            return Some((start, start + token.len()));
        }
        from = start + token.len();
    }
    None
}

/// `password=…`
fn assigned(text: &str) -> Option<(usize, usize)> {
    text.match_indices('=').find_map(|(at, _)| {
        let before = &text[..at];
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let name = &before[before.trim_end_matches(is_name).len()..];
        if !is_secret_name(name) {
            return None;
        }
        let start = at + 1;
        let quote = text[start..].chars().next().filter(|c| "\"'".contains(*c));
        let start = start + quote.map_or(0, char::len_utf8);
        let held = match quote {
            Some(quote) => until(&text[start..], |c| c == quote),
            None => until(&text[start..], |c| c.is_whitespace() || "&;,\"'<>)".contains(c)),
        };
        (!held.is_empty() && held != REDACTED).then_some((start, start + held.len()))
    })
}

fn until(text: &str, is_end: impl Fn(char) -> bool) -> &str {
    text.find(is_end).map_or(text, |end| &text[..end])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_not_shown_and_all_else_is() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJheXUifQ.c2lnbmF0dXJl";
        for (given, shown) in [
            (
                "connect postgres://hris:hunter2@db:5432/hris failed",
                "connect postgres://hris:[redacted]@db:5432/hris failed",
            ),
            ("redis://:p@ss@cache", "redis://:[redacted]@cache"),
            ("a https://x/ b amqp://u:p@q and more", "a https://x/ b amqp://u:[redacted]@q and more"),
            ("Authorization: Bearer abcDEF123456, so", "Authorization: Bearer [redacted], so"),
            ("authorization: basic dXNlcjpwYXNz", "authorization: basic [redacted]"),
            (&format!("token {jwt}."), "token [redacted]"),
            ("host=db password=hunter2 user=hris", "host=db password=[redacted] user=hris"),
            ("?api_key=k1&client-secret='a b'&x=1", "?api_key=[redacted]&client-secret='[redacted]'&x=1"),
            ("password=a password=b", "password=[redacted] password=[redacted]"),
        ] {
            assert_eq!(text(given), shown);
            assert_eq!(text(shown), shown, "it stays as it is");
        }
        for plain in [
            "",
            "a bearer of news came",
            "https://hris.example:8443/a@b",
            "total=150",
            "fencing_token=7",
            "ünï://",
            "=",
            "eyJ",
        ] {
            assert!(matches!(text(plain), Cow::Borrowed(shown) if shown == plain), "{plain}");
        }
    }

    #[test]
    fn fields_of_secrets_are_not_shown_at_any_depth_and_numbers_stay() {
        let given = json!({
            "rows": [{ "Password": "a", "accessToken": { "value": "b" }, "url": "x://u:p@h" }],
            "set-cookie": ["c"], "tokens": 5, "token": 7, "secret": null, "fencing_token": "9", "n": u64::MAX,
        });
        let shown = json!({
            "rows": [{ "Password": "[redacted]", "accessToken": "[redacted]", "url": "x://u:[redacted]@h" }],
            "set-cookie": "[redacted]", "tokens": 5, "token": 7, "secret": null, "fencing_token": "9", "n": u64::MAX,
        });
        assert_eq!(value(given), shown);
    }

    #[test]
    fn a_long_text_takes_no_long_time() {
        for piece in ["password=x ", "://", "a:b@", "eyJ.", "bearer ", "="] {
            let long = piece.repeat(1024 * 1024 / piece.len());
            assert!(text(&long).len() <= long.len(), "{piece}");
        }
    }
}
