//! Where the database is and how it is reached, read from a URL.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::config::Host;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{error::PostgresError, tls};

/// How long a connection may take to be made, where the URL has no `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may be silent before the system asks whether its peer is there.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// How long a caller waits for one of the pool's connections.
const WAIT: Duration = Duration::from_secs(5);

/// How much TLS is asked for, as in libpq.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SslMode {
    /// None.
    Disable,
    /// If the server has it, unverified. The default.
    Prefer,
    /// Unverified, unless `sslrootcert` names a file: then as `verify-ca`.
    Require,
    /// The certificate's chain is verified.
    VerifyCa,
    /// The chain and the host's name are verified.
    VerifyFull,
}

impl FromStr for SslMode {
    type Err = PostgresError;

    fn from_str(mode: &str) -> Result<Self, PostgresError> {
        Ok(match mode {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            other => {
                let problem = format!(
                    "`sslmode={other}` is not one of `disable`, `prefer`, `require`, `verify-ca` and `verify-full`"
                );
                return Err(PostgresError::Url { problem });
            }
        })
    }
}

/// Whose certificates are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RootCertificates {
    /// Those the system believes: no `sslrootcert`, or `sslrootcert=system`.
    System,
    /// Those in this PEM file.
    File(PathBuf),
}

/// Cancels what a connection waits for, at the server, unless it was defused: the statement of a caller who has gone would
/// run to its end, with its locks.
pub(crate) struct CancelOnDrop(Option<(tokio_postgres::CancelToken, MakeRustlsConnect)>);

impl CancelOnDrop {
    /// The call has ended by itself.
    pub(crate) fn defuse(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let Some((token, tls)) = self.0.take() else { return };
        // Without a runtime the connection is closed with its process, which the server sees.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { token.cancel_query(tls).await });
        }
    }
}

/// A database's URL, read, with its TLS connector: for the store, and for a service's own connections to the same place.
#[derive(Clone)]
pub struct PostgresConfig {
    driver: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    ssl_mode: SslMode,
}

impl fmt::Debug for PostgresConfig {
    /// Says where, never with which password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("server", &self.server())
            .field("database", &self.driver.get_dbname())
            .field("user", &self.driver.get_user())
            .field("ssl_mode", &self.ssl_mode)
            .finish_non_exhaustive()
    }
}

impl PostgresConfig {
    /// Reads a URL (`postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/etc/ca.pem`).
    ///
    /// The parameters are libpq's, as far as tokio-postgres knows them, and `sslmode` and `sslrootcert` in full.
    ///
    /// # Errors
    /// [`PostgresError::Url`] when it can't be read, [`PostgresError::Tls`] when its certificates can't. Neither has
    /// more of the URL in it than the value of `sslmode` or `sslrootcert`.
    pub fn parse(url: &str) -> Result<Self, PostgresError> {
        let problem = |problem: &str| PostgresError::Url { problem: problem.to_owned() };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(problem("it does not start with `postgres://`"));
        }
        let (rest, tls) = TlsParameters::split(url)?;
        // The driver's own message may have a piece of the password in it.
        let mut driver: tokio_postgres::Config = rest.parse().map_err(|_| {
            problem("a part of it is malformed (are special characters in the password written as %XX?)")
        })?;
        if driver.get_hosts().is_empty() {
            return Err(problem("it names no host"));
        }
        if driver.get_user().is_none() {
            return Err(problem("it names no user"));
        }
        if driver.get_connect_timeout().is_none() {
            driver.connect_timeout(CONNECT_TIMEOUT);
        }
        if driver.get_application_name().is_none() {
            driver.application_name("scheduler");
        }
        driver.keepalives_idle(KEEPALIVE).ssl_mode(match tls.mode {
            SslMode::Disable => tokio_postgres::config::SslMode::Disable,
            SslMode::Prefer => tokio_postgres::config::SslMode::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => tokio_postgres::config::SslMode::Require,
        });
        let server = server(&driver);
        let connector =
            tls::connector(tls.mode, &tls.roots).map_err(|problem| PostgresError::Tls { server, problem })?;
        Ok(Self { driver, tls: connector, ssl_mode: tls.mode })
    }

    /// How much TLS the URL asks for.
    #[must_use]
    pub const fn ssl_mode(&self) -> SslMode {
        self.ssl_mode
    }

    /// The server's host and port, for messages.
    #[must_use]
    pub fn server(&self) -> String {
        server(&self.driver)
    }

    /// A connection of its own; the second half is to be polled by a task while the first is used.
    ///
    /// # Errors
    /// [`PostgresError::Unreachable`], [`PostgresError::Authentication`], [`PostgresError::MissingDatabase`] or
    /// [`PostgresError::Tls`].
    pub async fn connect(
        &self,
    ) -> Result<
        (tokio_postgres::Client, impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static + use<>),
        PostgresError,
    > {
        self.driver.connect(self.tls.clone()).await.map_err(|error| self.explain(error))
    }

    /// What cancels the statement that this client waits for, at the server, when it is dropped.
    pub(crate) fn cancel_on_drop(&self, client: &tokio_postgres::Client) -> CancelOnDrop {
        CancelOnDrop(Some((client.cancel_token(), self.tls.clone())))
    }

    /// A pool of at most `size` connections, made as they are needed, on the runtime of whoever needs them.
    ///
    /// # Panics
    /// When `size` is 0.
    #[must_use]
    pub fn pool(&self, size: usize) -> Pool {
        assert!(size > 0, "a pool needs at least one connection");
        // A closed connection is seen without asking; one that fails in use is dropped by whoever used it.
        let manager = Manager::from_config(
            self.driver.clone(),
            self.tls.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(WAIT))
            .recycle_timeout(Some(WAIT))
            .build()
            .expect("a runtime is named, which timeouts need")
    }

    pub(crate) fn explain(&self, error: tokio_postgres::Error) -> PostgresError {
        PostgresError::connecting(error, &self.driver, &self.server())
    }
}

fn server(driver: &tokio_postgres::Config) -> String {
    let ports = driver.get_ports();
    let place = |(nth, host): (usize, &Host)| {
        let port = ports.get(nth).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(host) => format!("`{host}:{port}`"),
            Host::Unix(path) => format!("`{}`, port {port}", path.display()),
        }
    };
    driver.get_hosts().iter().enumerate().map(place).collect::<Vec<_>>().join(" or ")
}

/// What the driver does not know of a URL's parameters.
#[derive(Debug)]
struct TlsParameters {
    mode: SslMode,
    roots: RootCertificates,
}

impl TlsParameters {
    /// Takes `sslmode` and `sslrootcert` out of a URL.
    fn split(url: &str) -> Result<(String, Self), PostgresError> {
        let mut found = Self { mode: SslMode::Prefer, roots: RootCertificates::System };
        // A password may have a `?` in it, written as it is.
        let host = url.find('@').unwrap_or(0);
        let Some(mark) = url[host..].find('?') else { return Ok((url.to_owned(), found)) };
        let (base, parameters) = (&url[..host + mark], &url[host + mark + 1..]);
        let mut rest = Vec::new();
        for parameter in parameters.split('&') {
            match parameter.split_once('=') {
                Some(("sslmode", mode)) => found.mode = decode(mode)?.parse()?,
                Some(("sslrootcert", path)) => {
                    found.roots = match decode(path)?.as_str() {
                        "system" => RootCertificates::System,
                        path => RootCertificates::File(path.into()),
                    };
                }
                _ => rest.push(parameter),
            }
        }
        let rest = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        Ok((rest, found))
    }
}

/// Undoes a URL's `%XX`.
fn decode(text: &str) -> Result<String, PostgresError> {
    let malformed = || PostgresError::Url { problem: "`sslmode` or `sslrootcert` has a malformed `%`".to_owned() };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let (hex, tail) = rest.split_at_checked(2).ok_or_else(malformed)?;
            let hex = std::str::from_utf8(hex).map_err(|_| malformed())?;
            bytes.push(u8::from_str_radix(hex, 16).map_err(|_| malformed())?);
            rest = tail;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::{PostgresConfig, SslMode};
    use crate::error::PostgresError;

    #[test]
    fn tls_parameters_are_read_and_the_others_are_the_drivers() {
        let url = "postgres://u:p%40ss@db.internal:6432/hris?connect_timeout=3&sslmode=require&application_name=x";
        let config = PostgresConfig::parse(url).expect("valid");
        assert_eq!(config.ssl_mode(), SslMode::Require);
        assert_eq!(config.server(), "`db.internal:6432`");
        assert_eq!(config.driver.get_password(), Some(&b"p@ss"[..]));
        assert_eq!(config.driver.get_application_name(), Some("x"));
        assert_eq!(config.driver.get_connect_timeout(), Some(&std::time::Duration::from_secs(3)));
    }

    #[test]
    fn a_question_mark_in_the_password_is_the_passwords() {
        let config = PostgresConfig::parse("postgres://u:what?@h/db?sslmode=disable").expect("valid");
        assert_eq!(config.driver.get_password(), Some(&b"what?"[..]));
        assert_eq!(config.ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn without_a_mode_tls_is_preferred() {
        let config = PostgresConfig::parse("postgresql://u@localhost/db").expect("valid");
        assert_eq!(config.ssl_mode(), SslMode::Prefer);
        assert_eq!(config.server(), "`localhost:5432`");
    }

    #[test]
    fn a_bad_url_says_what_is_wrong_and_never_the_password() {
        for (url, says) in [
            ("mysql://u:s3cret@h/db", "does not start with `postgres://`"),
            ("host=h password=s3cret", "does not start with `postgres://`"),
            ("postgres://u:s3cret@h/db?sslmode=maybe", "`sslmode=maybe`"),
            ("postgres://u:s3cret@h:port/db", "malformed"),
            ("postgres:///db", "names no host"),
            ("postgres://h/db", "names no user"),
        ] {
            let error = PostgresConfig::parse(url).expect_err(url).to_string();
            assert!(error.contains(says), "{url}: {error}");
            assert!(!error.contains("s3cr") && !error.contains("et@h"), "{url}: {error}");
        }
    }

    #[test]
    fn a_root_certificate_that_is_not_there_is_named() {
        let error = PostgresConfig::parse("postgres://u@h/db?sslmode=verify-full&sslrootcert=%2Fno%2Fca.pem")
            .expect_err("no such file");
        assert!(matches!(error, PostgresError::Tls { .. }));
        assert!(error.to_string().contains("sslrootcert=/no/ca.pem"), "{error}");
    }

    #[test]
    fn debug_shows_no_password() {
        let config = PostgresConfig::parse("postgres://u:s3cret@h/db").expect("valid");
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
