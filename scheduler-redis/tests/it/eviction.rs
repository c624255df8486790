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

/// What the server of the tests says of its policy.
const TOLD: &str = "\r\nmaxmemory_policy:noeviction\r\n";

/// What a check logs where the server says this instead, in as many bytes.
async fn warnings(policy: &'static str) -> String {
    assert_eq!(policy.len(), TOLD.len());
    let proxy = Proxy::start().await;
    proxy.rewrite(TOLD, policy);
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    locks_at(&proxy.url()).check().with_subscriber(subscriber).await.expect("a check");
    log.text()
}

#[tokio::test]
async fn a_policy_that_evicts_is_warned_of() {
    for (told, policy) in
        [("\r\nmaxmemory_policy:allkeys-lru\n", "allkeys-lru"), ("\nmaxmemory_policy:volatile-lru\n", "volatile-lru")]
    {
        let warnings = warnings(told).await;
        assert_eq!(warnings.matches("WARN").count(), 1, "{warnings}");
        assert!(warnings.contains(policy) && warnings.contains("set `maxmemory-policy noeviction`"), "{warnings}");
    }
}

#[tokio::test]
async fn a_policy_that_evicts_nothing_is_not_warned_of() {
    assert_eq!(warnings(TOLD).await, "");
}
