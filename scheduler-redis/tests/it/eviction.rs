//! A server that evicts keys is warned of.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use scheduler_core::lock::LockBackend as _;
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::{proxy::Proxy, server::locks_at};

/// What was logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What a check logs where the server says this of its policy.
async fn warnings(answer: &'static str) -> String {
    let proxy = Proxy::start().await;
    proxy.rewrite("$10\r\nnoeviction\r\n", answer);
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    locks_at(&proxy.url()).check().with_subscriber(subscriber).await.expect("a check");
    log.text()
}

#[tokio::test]
async fn a_policy_that_evicts_is_warned_of() {
    for (answer, policy) in [("$11\r\nallkeys-lru\r\n", "allkeys-lru"), ("$12\r\nvolatile-ttl\r\n", "volatile-ttl")] {
        let warnings = warnings(answer).await;
        assert_eq!(warnings.matches("WARN").count(), 1, "{warnings}");
        assert!(warnings.contains(policy) && warnings.contains("set `maxmemory-policy noeviction`"), "{warnings}");
    }
}

#[tokio::test]
async fn a_policy_that_evicts_nothing_is_not_warned_of() {
    assert_eq!(warnings("$10\r\nnoeviction\r\n").await, "");
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_policy_is_used() {
    let proxy = Proxy::start().await;
    proxy
        .rewrite("*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n", "-NOPERM no permission to run 'config'\r\n");
    locks_at(&proxy.url()).check().await.expect("a check");
}
