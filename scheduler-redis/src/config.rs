//! Where Redis is and how it is reached, read from a URL.

use std::fmt;

use redis::{ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo};
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use crate::{
    error::RedisError,
    tls::{self, RootCertificates},
};

/// A server's URL, read, with its TLS connector.
#[derive(Clone)]
pub struct RedisConfig {
    host: String,
    port: u16,
    login: RedisConnectionInfo,
    tls: Option<Tls>,
}

/// How a connection is wrapped in TLS.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) connector: TlsConnector,
    pub(crate) name: ServerName<'static>,
}

impl fmt::Debug for RedisConfig {
    /// Says where, never with which password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("server", &self.server())
            .field("database", &self.login.db())
            .field("user", &self.login.username())
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

impl RedisConfig {
    /// Reads a URL: `redis://user:password@host:6379/0`, or `rediss://…` for TLS.
    ///
    /// User, password, port and database may be left out. Certificates are verified against the system's roots, or those
    /// in a PEM file, as in a PostgreSQL URL: `rediss://host?sslrootcert=/etc/ca.pem`.
    ///
    /// # Errors
    /// [`RedisError::Url`] when it can't be read, [`RedisError::Tls`] when its certificates can't. Neither has a
    /// password in it.
    pub fn parse(url: &str) -> Result<Self, RedisError> {
        let problem = |problem: &str| RedisError::Url { problem: problem.to_owned() };
        if !url.starts_with("redis://") && !url.starts_with("rediss://") {
            return Err(problem("it does not start with `redis://` or `rediss://`"));
        }
        let is_tls = url.starts_with("rediss://");
        // The driver's own TLS is not built in, and its messages may have a piece of the password in them.
        let mut url = redis::parse_redis_url(&url.replacen("rediss://", "redis://", 1)).ok_or_else(|| {
            problem("a part of it is malformed (are special characters in the password written as %XX?)")
        })?;
        if url.fragment().is_some() {
            return Err(problem("it has a `#` (a `#` in the password is written as %23)"));
        }
        let mut ca_file = None;
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslrootcert" if is_tls => ca_file = Some(value.into_owned()),
                "sslrootcert" => return Err(problem("`sslrootcert` needs `rediss://`")),
                _ => return Err(problem(&format!("it has a parameter `{name}`, which is not known"))),
            }
        }
        url.set_query(None);
        if url.host().is_none() {
            return Err(problem("it names no host"));
        }
        let info = url.into_connection_info().map_err(|error| problem(&error.to_string()))?;
        let ConnectionAddr::Tcp(host, port) = info.addr().clone() else { return Err(problem("it names no host")) };
        let login = info.redis_settings().clone().set_lib_name("scheduler", env!("CARGO_PKG_VERSION"));
        let config = Self { host, port, login, tls: None };
        match (is_tls, ca_file) {
            (false, _) => Ok(config),
            (true, None) => config.with_tls(RootCertificates::System),
            (true, Some(file)) => {
                let pem = std::fs::read(&file)
                    .map_err(|error| config.tls_error(format!("`sslrootcert={file}` can't be read: {error}")))?;
                config.with_tls(RootCertificates::Pem(&pem))
            }
        }
    }

    /// The same server, whose certificate is verified against the roots in this PEM text, and no others.
    ///
    /// # Errors
    /// [`RedisError::Tls`] when there is no certificate in the text, or the URL does not ask for TLS.
    pub fn with_root_certificates(self, pem: &[u8]) -> Result<Self, RedisError> {
        if self.tls.is_none() {
            return Err(self.tls_error("the URL does not ask for TLS: write `rediss://`".to_owned()));
        }
        self.with_tls(RootCertificates::Pem(pem))
    }

    fn with_tls(self, roots: RootCertificates<'_>) -> Result<Self, RedisError> {
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| self.tls_error(format!("`{}` is no name that a certificate can have", self.host)))?;
        let connector = tls::connector(roots).map_err(|problem| self.tls_error(problem))?;
        Ok(Self { tls: Some(Tls { connector, name }), ..self })
    }

    pub(crate) fn tls_error(&self, problem: String) -> RedisError {
        RedisError::Tls { server: self.server(), problem }
    }

    /// The server's host and port, for messages.
    #[must_use]
    pub fn server(&self) -> String {
        if self.host.contains(':') {
            format!("`[{}]:{}`", self.host, self.port)
        } else {
            format!("`{}:{}`", self.host, self.port)
        }
    }

    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(crate) const fn login(&self) -> &RedisConnectionInfo {
        &self.login
    }

    pub(crate) const fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }
}

#[cfg(test)]
mod tests;
