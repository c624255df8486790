//! Servers that the caller has already: checked, never started or stopped.

use super::{ping, url::redacted};
use crate::failure::{Context, Result};

/// What the environment names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) database_url: Option<String>,
    pub(crate) redis_url: Option<String>,
    pub(crate) tls: Option<GivenTls>,
}

/// The same servers over TLS. All three or none: one certificate authority vouches for both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenTls {
    pub(crate) database_url: String,
    pub(crate) redis_url: String,
    pub(crate) ca_file: String,
}

impl Given {
    pub(crate) fn from_env() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let tls = || {
            Some(GivenTls {
                database_url: variable("DATABASE_TLS_URL")?,
                redis_url: variable("REDIS_TLS_URL")?,
                ca_file: variable("TEST_TLS_CA_FILE")?,
            })
        };
        Self { database_url: variable("DATABASE_URL"), redis_url: variable("REDIS_URL"), tls: tls() }
    }

    /// Forgets what this clone's own servers exported: a shell that evaluated `services up` gives nothing new.
    pub(crate) fn without(self, own: &[(&'static str, String)]) -> Self {
        let foreign = |url: &String| !own.iter().any(|(_, known)| known == url);
        Self {
            database_url: self.database_url.filter(foreign),
            redis_url: self.redis_url.filter(foreign),
            tls: self.tls.filter(|tls| foreign(&tls.database_url) && foreign(&tls.redis_url)),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.check_postgres().and_then(|()| self.check_redis())
    }

    pub(crate) fn check_postgres(&self) -> Result<()> {
        self.database_url.as_deref().map_or(Ok(()), |url| check("DATABASE_URL", url, ping::postgres))
    }

    pub(crate) fn check_redis(&self) -> Result<()> {
        self.redis_url.as_deref().map_or(Ok(()), |url| check("REDIS_URL", url, ping::redis))
    }
}

fn check(name: &str, url: &str, ping: impl Fn(&str) -> Result<()>) -> Result<()> {
    ping(url).context(|| {
        format!(
            "{name} is set to {}, but no such server answers (start it, or `unset {name}` for a private one)",
            redacted(url)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(variables: &'static [(&'static str, &'static str)]) -> Given {
        Given::read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        assert_eq!(given(&[("DATABASE_URL", ""), ("REDIS_TLS_URL", "rediss://cache")]), Given::default());
    }

    #[test]
    fn what_the_clone_itself_exported_is_not_given() {
        let given = given(&[("DATABASE_URL", "postgres://own"), ("REDIS_URL", "redis://foreign")]);
        let left = given.without(&[("DATABASE_URL", "postgres://own".to_owned())]);
        assert_eq!((left.database_url, left.redis_url.as_deref()), (None, Some("redis://foreign")));
    }

    #[test]
    fn a_given_server_that_does_not_answer_is_an_error_without_its_password() {
        let port = super::super::port::free(None).unwrap();
        let url = format!("redis://:secret@127.0.0.1:{port}");
        let given = Given { redis_url: Some(url), ..Given::default() };
        let failure = given.check().unwrap_err().to_string();
        assert!(failure.contains("REDIS_URL") && failure.contains("unset") && !failure.contains("secret"), "{failure}");
    }
}
