//! What can be wrong when a service starts.

use std::{
    io,
    sync::{Arc, Mutex},
};

use scheduler_core::lock::{LockBackend as _, LockError};
use scheduler_redis::RedisLocks;

use crate::server::{connection, locks, namespace, url};

/// The error and its sources, as a log shows them.
fn chain(error: &dyn std::error::Error) -> String {
    let source = error.source().map(|source| format!(": {}", chain(source))).unwrap_or_default();
    format!("{error}{source}")
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let right = url("REDIS_URL");
    let address = right.rsplit_once('@').map_or(right.as_str(), |(_, address)| address).trim_start_matches("redis://");
    let error = RedisLocks::connect(&format!("redis://:wr0ng-s3cret@{address}")).await.expect_err("a wrong password");
    let text = chain(&error);
    assert!(matches!(error, LockError::Rejected { .. }), "{text}");
    assert!(
        text.contains("password is wrong") && text.contains(address.split('/').next().expect("an address")),
        "{text}"
    );
    assert!(!text.contains("wr0ng-s3cret"), "{text}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_with_its_address() {
    let error = RedisLocks::connect("redis://127.0.0.1:1").await.expect_err("nothing listens on port 1");
    let text = chain(&error);
    assert!(error.is_retryable(), "{text}");
    assert!(text.contains("127.0.0.1:1") && text.contains("nothing listens there"), "{text}");
}

#[tokio::test]
async fn a_bad_url_is_told_before_anything_is_asked() {
    let error = RedisLocks::connect("http://cache:6379").await.expect_err("no Redis URL");
    assert!(chain(&error).contains("write `redis://"), "{}", chain(&error));
    assert!(RedisLocks::connect_lazy("redis://127.0.0.1:1").is_ok(), "a lazy one asks nothing");
}

#[tokio::test]
async fn a_policy_that_evicts_is_warned_of() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let log = Written(Arc::clone(&written));
    let subscriber = tracing_subscriber::fmt().with_writer(move || log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut connection = connection().await;
    let config = |policy: &'static str| {
        let mut command = redis::cmd("CONFIG");
        command.arg(&["SET", "maxmemory-policy", policy]);
        command
    };
    config("allkeys-lru").query_async::<()>(&mut connection).await.expect("set");
    let locks = locks(&url("REDIS_URL"), &namespace());
    locks.check().await.expect("it answers");
    config("noeviction").query_async::<()>(&mut connection).await.expect("set back");
    let text = String::from_utf8(written.lock().expect("not poisoned").clone()).expect("text");
    assert!(text.contains("allkeys-lru") && text.contains("noeviction"), "{text}");
}

#[derive(Clone)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
