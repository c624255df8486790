//! What the environment says.

use std::{env, fmt, net::SocketAddr};

use scheduler::{postgres::PostgresConfig, redis::RedisLocks};
use thiserror::Error;

use crate::{auth::Secret, workforce::WorkforceClient};

/// Where the service listens if it is not told.
const DEFAULT_HTTP_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8002);

/// What the service is told; its `Debug` shows no secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// `HRIS_HTTP_ADDR`: where the API listens; port 0 takes a free one.
    pub http_address: SocketAddr,
    /// `DATABASE_URL`: Postgres, for executions and attendance rows. Without it they live in memory.
    pub database_url: Option<String>,
    /// `REDIS_URL`: the lock backend. Without it the store decides alone.
    pub redis_url: Option<String>,
    /// `WORKFORCE_GRPC_URL`: the Workforce Service. Without it the service starts one of its own with demo employees.
    pub workforce_url: Option<String>,
    /// `HRIS_JWT_SECRET`: the key of the tokens. Without it a random one is made, and demo tokens are printed.
    pub jwt_secret: Option<Secret>,
    /// `--with-demo-tick`: a job that is due each second.
    pub with_demo_tick: bool,
}

/// Every mistake in the environment, a line each.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} in the environment:\n{}", if mistakes.len() == 1 { "a mistake" } else { "mistakes" }, mistakes.join("\n"))]
pub struct SettingsError {
    mistakes: Vec<String>,
}

impl Settings {
    /// All settings at their defaults: everything in this process, on loopback.
    #[must_use]
    pub fn embedded() -> Self {
        Self {
            http_address: DEFAULT_HTTP_ADDRESS,
            database_url: None,
            redis_url: None,
            workforce_url: None,
            jwt_secret: None,
            with_demo_tick: false,
        }
    }

    /// Reads the process's environment. A variable that is set but empty counts as not set.
    ///
    /// # Errors
    /// All mistakes at once; no value that may hold a secret is repeated.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(|name| match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err("is not UTF-8".to_owned()),
        })
    }

    /// Reads variables from anywhere.
    ///
    /// # Errors
    /// As [`Settings::from_env`].
    pub fn read(variable: impl Fn(&str) -> Result<Option<String>, String>) -> Result<Self, SettingsError> {
        let mut reader = Reader { variable, mistakes: Vec::new() };
        let settings = Self {
            http_address: reader.read("HRIS_HTTP_ADDR", http_address).unwrap_or(DEFAULT_HTTP_ADDRESS),
            database_url: reader.read("DATABASE_URL", database_url),
            redis_url: reader.read("REDIS_URL", redis_url),
            workforce_url: reader.read("WORKFORCE_GRPC_URL", workforce_url),
            jwt_secret: reader
                .read("HRIS_JWT_SECRET", |secret| Secret::try_new(secret).map_err(|error| error.to_string())),
            with_demo_tick: false,
        };
        if reader.mistakes.is_empty() { Ok(settings) } else { Err(SettingsError { mistakes: reader.mistakes }) }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |url: &Option<String>| url.as_ref().map(|_| "…");
        f.debug_struct("Settings")
            .field("http_address", &self.http_address)
            .field("database_url", &set(&self.database_url))
            .field("redis_url", &set(&self.redis_url))
            .field("workforce_url", &set(&self.workforce_url))
            .field("jwt_secret", &self.jwt_secret)
            .field("with_demo_tick", &self.with_demo_tick)
            .finish()
    }
}

/// Reads variables, and remembers the mistakes.
struct Reader<F> {
    variable: F,
    mistakes: Vec<String>,
}

impl<F: Fn(&str) -> Result<Option<String>, String>> Reader<F> {
    fn read<T>(&mut self, name: &str, parse: impl Fn(String) -> Result<T, String>) -> Option<T> {
        let value = (self.variable)(name).map(|value| value.filter(|value| !value.is_empty()));
        match value.and_then(|value| value.map(parse).transpose()) {
            Ok(value) => value,
            Err(mistake) => {
                self.mistakes.push(format!("  `{name}` {mistake}"));
                None
            }
        }
    }
}

fn http_address(text: String) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("is `{text}`, but must be an IP address and a port, such as `{DEFAULT_HTTP_ADDRESS}`"))
}

fn database_url(url: String) -> Result<String, String> {
    match PostgresConfig::parse(&url) {
        Ok(_) => Ok(url),
        Err(error) => Err(format!("is wrong: {error}")),
    }
}

fn redis_url(url: String) -> Result<String, String> {
    match RedisLocks::connect_lazy(&url) {
        Ok(_) => Ok(url),
        Err(error) => Err(format!("is wrong: {error}")),
    }
}

fn workforce_url(url: String) -> Result<String, String> {
    WorkforceClient::check_url(&url).map_err(|error| format!("is {error}"))?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::read(|name| {
            Ok(variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn an_empty_environment_is_embedded() {
        for settings in [read(&[]), read(&[("DATABASE_URL", ""), ("HRIS_JWT_SECRET", "")])] {
            let settings = settings.expect("is whole");
            assert_eq!(settings.http_address.to_string(), "127.0.0.1:8002");
            assert!(settings.database_url.is_none() && settings.redis_url.is_none() && settings.jwt_secret.is_none());
        }
    }

    #[test]
    fn every_mistake_is_told_and_no_secret() {
        let error = read(&[
            ("HRIS_HTTP_ADDR", "localhost"),
            ("DATABASE_URL", "mysql://root:hunter2@db/hris"),
            ("REDIS_URL", "http://:hunter2@redis"),
            ("WORKFORCE_GRPC_URL", "ftp://user:hunter2@workforce"),
            ("HRIS_JWT_SECRET", "hunter2"),
        ])
        .expect_err("is full of mistakes")
        .to_string();
        assert_eq!(
            error,
            "mistakes in the environment:\n  \
             `HRIS_HTTP_ADDR` is `localhost`, but must be an IP address and a port, such as `127.0.0.1:8002`\n  \
             `DATABASE_URL` is wrong: the PostgreSQL URL can't be used: it does not start with `postgres://`; write `postgres://user:password@host:5432/database?sslmode=…`\n  \
             `REDIS_URL` is wrong: the Redis URL can't be used: it does not start with `redis://` or `rediss://`; write `redis://user:password@host:6379/0`, or `rediss://…` for TLS\n  \
             `WORKFORCE_GRPC_URL` is not a URL of a gRPC server, such as `http://workforce:50051`\n  \
             `HRIS_JWT_SECRET` has 7 bytes, but must have at least 32, such as those of `openssl rand -hex 32`"
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let settings = read(&[
            ("DATABASE_URL", "postgres://hris:hunter2@db/hris"),
            ("REDIS_URL", "rediss://:hunter2@redis"),
            ("WORKFORCE_GRPC_URL", "http://workforce:50051"),
            ("HRIS_JWT_SECRET", "hunter2hunter2hunter2hunter2hunter2"),
        ])
        .expect("is well-formed");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
