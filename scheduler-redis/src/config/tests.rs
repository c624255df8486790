use super::RedisConfig;
use crate::error::RedisError;

#[test]
fn every_part_of_a_url_is_read() {
    let config = RedisConfig::parse("redis://app:p%40ss@cache.internal:6380/3").expect("valid");
    assert_eq!(config.server(), "`cache.internal:6380`");
    assert_eq!(config.login().username(), Some("app"));
    assert_eq!(config.login().password(), Some("p@ss"));
    assert_eq!(config.login().db(), 3);
    assert!(config.tls().is_none());
}

#[test]
fn what_a_url_leaves_out_has_a_default() {
    let config = RedisConfig::parse("redis://[::1]").expect("valid");
    assert_eq!(config.server(), "`[::1]:6379`");
    assert_eq!((config.login().username(), config.login().password(), config.login().db()), (None, None, 0));
}

#[test]
fn a_bad_url_says_what_is_wrong_and_never_the_password() {
    for (url, says) in [
        ("", "does not start with"),
        ("postgres://u:s3cret@h", "does not start with"),
        ("unix:///run/redis.sock?pass=s3cret", "does not start with"),
        ("redis://u:s3cret@h:port", "malformed"),
        ("redis://u:s3/cret@h", "malformed"),
        ("redis://", "names no host"),
        ("redis://:s3#cret@h", "malformed"),
        ("redis://:s3cret@h/0#insecure", "`#`"),
        ("redis://:s3cret@h/first", "database number"),
        ("redis://:s3cret@h/0?timeout=5", "`timeout`"),
        ("redis://:s3cret@h?sslrootcert=/etc/ca.pem", "needs `rediss://`"),
    ] {
        let error = RedisConfig::parse(url).expect_err(url);
        assert!(matches!(error, RedisError::Url { .. }), "{url}: {error:?}");
        assert!(error.to_string().contains(says), "{url}: {error}");
        assert!(!format!("{error} {error:?}").contains("s3"), "{url}: {error:?}");
    }
}

#[test]
fn root_certificates_that_are_none_are_refused() {
    let missing = RedisConfig::parse("rediss://:s3cret@h?sslrootcert=%2Fno%2Fca.pem").expect_err("no such file");
    assert!(missing.to_string().contains("`sslrootcert=/no/ca.pem`"), "{missing}");
    let here = concat!("rediss://h?sslrootcert=", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let error = RedisConfig::parse(here).expect_err("no certificate");
    assert!(matches!(error, RedisError::Tls { .. }) && error.to_string().contains("no certificate"), "{error}");
    let plain = RedisConfig::parse("redis://h").expect("valid").with_root_certificates(b"").expect_err("no TLS");
    assert!(plain.to_string().contains("write `rediss://`"), "{plain}");
}

#[test]
fn debug_shows_no_password() {
    let config = RedisConfig::parse("redis://u:s3cret@h/0").expect("valid");
    assert!(!format!("{config:?}").contains("s3cret"));
}
