//! A server's URL: where it listens, and how to show it without its password.

use crate::failure::{Failure, Result};

/// The parts of `scheme://user:password@host:port/path?query`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    pub(crate) scheme: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
}

impl ServerUrl {
    /// The failure never repeats the text: it may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| Failure::new("not a URL: no `://`"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (userinfo, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let (host, port) = split_port(address);
        let port = match port {
            None | Some("") => None,
            Some(digits) => Some(digits.parse().map_err(|_| Failure::new("the URL's port is not a number"))?),
        };
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Ok(Self {
            scheme: scheme.to_owned(),
            user: Some(decoded(user)).filter(|user| !user.is_empty()),
            password: Some(decoded(password)).filter(|password| !password.is_empty()),
            host: decoded(host),
            port,
            path: decoded(path),
            query: pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect(),
        })
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The host named by the address, or by the query as libpq allows.
    pub(crate) fn host(&self) -> &str {
        let host = if self.host.is_empty() { self.parameter("host").unwrap_or_default() } else { &self.host };
        if host.is_empty() { "localhost" } else { host }
    }
}

/// The URL with its password, in either place, shown as `***`.
pub(crate) fn redacted(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return "(not a URL)".to_owned() };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    // A password may hold an unescaped `/` or `@`: everything before the last `@` counts as user and password.
    let (userinfo, address) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    let mut shown = format!("{scheme}://");
    if let Some(userinfo) = userinfo {
        match userinfo.split_once(':') {
            Some((user, _)) => shown.push_str(&format!("{user}:***@")),
            None => shown.push_str(&format!("{userinfo}@")),
        }
    }
    shown.push_str(address);
    if let Some(query) = query {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}=***"),
            _ => pair.to_owned(),
        });
        shown.push('?');
        shown.push_str(&pairs.collect::<Vec<_>>().join("&"));
    }
    shown
}

/// `host:port`, `[v6]:port`, or either without a port.
fn split_port(address: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port)))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| std::str::from_utf8(tail.get(..2)?).ok()).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_found() {
        let url = ServerUrl::parse("postgres://me:p%40ss@db.example:6543/app?sslmode=require").unwrap();
        assert_eq!(
            (url.user.as_deref(), url.password.as_deref(), url.host(), url.port, url.path.as_str()),
            (Some("me"), Some("p@ss"), "db.example", Some(6543), "app")
        );
        assert_eq!(url.parameter("sslmode"), Some("require"));
    }

    #[test]
    fn the_host_may_be_absent_bracketed_or_a_socket() {
        assert_eq!(ServerUrl::parse("redis://").unwrap().host(), "localhost");
        let url = ServerUrl::parse("redis://:secret@[::1]:7000/2").unwrap();
        assert_eq!((url.host(), url.port, url.password.as_deref()), ("::1", Some(7000), Some("secret")));
        assert_eq!(ServerUrl::parse("postgres://%2Frun%2Fpg/app").unwrap().host(), "/run/pg");
        assert_eq!(ServerUrl::parse("postgres:///app?host=/run/pg").unwrap().host(), "/run/pg");
    }

    #[test]
    fn passwords_are_never_shown() {
        assert_eq!(redacted("postgres://me:secret@db:5432/app"), "postgres://me:***@db:5432/app");
        assert_eq!(redacted("redis://:se/cr@et@cache:6379/0"), "redis://:***@cache:6379/0");
        assert_eq!(redacted("postgres:///app?user=me&password=secret"), "postgres:///app?user=me&password=***");
        assert_eq!(redacted("secret"), "(not a URL)");
        let failure = ServerUrl::parse("redis://:secret@cache:port").unwrap_err().to_string();
        assert!(!failure.contains("secret"), "{failure}");
    }

    #[test]
    fn what_holds_no_password_is_shown_whole() {
        for url in ["redis://127.0.0.1:6379", "postgres://me@db/app?sslmode=require"] {
            assert_eq!(redacted(url), url);
        }
    }
}
