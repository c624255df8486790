//! TLS to the server, by URL.

use scheduler_core::lock::LockBackend as _;
use scheduler_redis::RedisLocks;

use crate::server::{locks, namespace, url};

#[tokio::test]
async fn a_rediss_url_speaks_tls() {
    let trusted = format!("{}?sslrootcert={}", url("REDIS_TLS_URL"), url("TEST_TLS_CA_FILE"));
    RedisLocks::connect(&trusted).await.expect("the authority is known");
    let answers = locks(&trusted, &namespace()).acquire(&[]).await.expect("an answer");
    assert!(answers.is_empty());
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    RedisLocks::connect(&url("REDIS_TLS_URL")).await.expect_err("the machine does not know the tests' authority");
}
