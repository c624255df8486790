//! TLS by URL.

use scheduler_core::lock::{Acquired, LockBackend as _};
use scheduler_redis::{RedisConfig, RedisError, RedisLocks};

use crate::server::{self, address, chain, filter, namespace, variable, why};

fn tls_url() -> String {
    variable("REDIS_TLS_URL")
}

fn ca_file() -> String {
    variable("TEST_TLS_CA_FILE")
}

#[tokio::test]
async fn a_server_is_verified_by_the_roots_that_the_url_names() {
    let locks = RedisLocks::connect(&format!("{}?sslrootcert={}", tls_url(), ca_file())).await.unwrap();
    let locks = locks.with_namespace(&namespace()).unwrap();
    locks.check().await.unwrap();
    assert_eq!(filter(&locks, 0).await.unwrap(), Acquired::Granted(None));
}

#[tokio::test]
async fn a_server_is_verified_by_the_roots_that_are_given() {
    let pem = std::fs::read(ca_file()).unwrap();
    let config = RedisConfig::parse(&tls_url()).unwrap().with_root_certificates(&pem).unwrap();
    RedisLocks::new(config).probe().await.unwrap();
}

#[tokio::test]
async fn a_server_of_an_unknown_issuer_is_refused() {
    let error = why(&tls_url()).await;
    assert!(matches!(error, RedisError::Tls { .. }) && !error.is_retryable(), "{error:?}");
    assert!(chain(&error).contains("invalid peer certificate"), "{}", chain(&error));
}

#[tokio::test]
async fn a_port_without_tls_is_told() {
    let url = format!("rediss://:s3cret@{}?sslrootcert={}", address(&server::url()), ca_file());
    let error = why(&url).await;
    assert!(matches!(error, RedisError::Tls { .. } | RedisError::Unreachable { .. }), "{error:?}");
    assert!(!chain(&error).contains("s3cret"));
}

#[tokio::test]
async fn a_port_with_tls_is_no_plain_one() {
    let tls = tls_url().replacen("rediss://", "redis://", 1);
    let error = why(&tls).await;
    assert!(matches!(error, RedisError::Unreachable { .. } | RedisError::Reply { .. }), "{error:?}");
}
