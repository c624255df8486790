//! What a Redis URL says.

use std::{fs, path::PathBuf};

use redis::{Client, ErrorKind, TlsCertificates};

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no URL of a Redis server. It is not shown, as it may hold a password.
    #[error(
        "this is no Redis URL: {problem}; write `redis://[[user]:password@]host[:port][/database]`, or `rediss://…` for TLS"
    )]
    Url {
        /// What is wrong.
        problem: String,
    },
    /// The file of root certificates can't be read, or holds none.
    #[error("the root certificates of `sslrootcert={}` can't be used", path.display())]
    RootCertificates {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The namespace is empty, too long, or has a character that a key of ours does not have.
    #[error("namespace `{0}` must have 1 to 100 characters of a-z, A-Z, 0-9, `.`, `_`, `-` and `:`")]
    Namespace(String),
}

/// The client that a URL describes, and its server's address for messages.
///
/// Beside what the `redis` crate reads, `sslrootcert=/path/to/ca.pem` names the only authorities to trust, as it does in
/// a PostgreSQL URL; without it they are the machine's.
pub(crate) fn read(url: &str) -> Result<(Client, String), ConfigError> {
    let (url, root_certificates) = take_root_certificates(url);
    let client = match &root_certificates {
        None => Client::open(url.as_str()),
        Some(path) => {
            let source =
                |source: std::io::Error| ConfigError::RootCertificates { path: path.clone(), source: source.into() };
            let root_cert = Some(fs::read(path).map_err(source)?);
            Client::build_with_tls(url.as_str(), TlsCertificates { client_tls: None, root_cert })
        }
    };
    let client = client.map_err(|error| match root_certificates {
        Some(path) if error.kind() != ErrorKind::InvalidClientConfig => {
            ConfigError::RootCertificates { path, source: error.into() }
        }
        _ => ConfigError::Url { problem: problem(&error) },
    })?;
    let address = client.get_connection_info().addr().to_string();
    Ok((client, address))
}

/// The error's own words, without its detail, which may quote the URL.
fn problem(error: &redis::RedisError) -> String {
    let text = error.to_string();
    text.split(" - ").next().unwrap_or(&text).to_owned()
}

/// The URL without its `sslrootcert`, and that.
fn take_root_certificates(url: &str) -> (String, Option<PathBuf>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let (ours, others): (Vec<&str>, Vec<&str>) = query.split('&').partition(|pair| pair.starts_with("sslrootcert="));
    let path = ours.last().and_then(|pair| pair.strip_prefix("sslrootcert=")).map(PathBuf::from);
    let rest = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
    (rest, path)
}

/// A namespace that can stand before a job's id in a key.
pub(crate) fn check_namespace(namespace: &str) -> Result<(), ConfigError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    if (1..=100).contains(&namespace.len()) && namespace.bytes().all(allowed) {
        Ok(())
    } else {
        Err(ConfigError::Namespace(namespace.chars().take(100).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_its_address_and_never_its_password() {
        let (_, address) = read("redis://user:secret@cache.internal:6380/2").expect("a URL");
        assert_eq!(address, "cache.internal:6380");
        for bad in ["", "postgres://user:secret@host", "redis://user:secret@host:notaport", "redis:secret"] {
            let error = read(bad).expect_err(bad).to_string();
            assert!(!error.contains("secret") && error.contains("redis://["), "{error}");
        }
    }

    #[test]
    fn root_certificates_are_taken_out_of_the_query() {
        let taken = take_root_certificates("rediss://h:1/0?protocol=resp3&sslrootcert=/etc/ca.pem");
        assert_eq!(taken, ("rediss://h:1/0?protocol=resp3".to_owned(), Some("/etc/ca.pem".into())));
        let error = read("rediss://host?sslrootcert=/no/such/file.pem").expect_err("no such file");
        assert!(error.to_string().contains("/no/such/file.pem"), "{error}");
    }

    #[test]
    fn a_namespace_has_plain_characters() {
        assert!(check_namespace("billing:eu-1").is_ok());
        for bad in ["", "two words", "{tag}", "ä", &"n".repeat(101)] {
            assert!(check_namespace(bad).is_err(), "{bad:?}");
        }
    }
}
