//! The server that the tests use, with a schema of its own for each.

use std::sync::Arc;

use scheduler_postgres::{PostgresConfig, PostgresStore};
use tokio_postgres::Client;

/// The URL of the server that tests use.
pub(crate) fn url() -> String {
    std::env::var("DATABASE_URL").expect(
        "DATABASE_URL is not set: run `cargo xtask services up` and set what it prints, or run `cargo xtask test`",
    )
}

/// A connection for what a test does besides the store.
pub(crate) async fn client(url: &str) -> Client {
    let (client, connection) = PostgresConfig::parse(url).expect("a URL").connect().await.expect("the server answers");
    tokio::spawn(connection);
    client
}

/// A schema that is dropped with everything in it when the test lets go of it.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) name: String,
    pub(crate) url: String,
}

impl Schema {
    /// A name that nobody has; the schema itself is made by the first migration.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { name: format!("test_{}", uuid::Uuid::new_v4().simple()), url: url() })
    }

    /// The store in this schema, migrated.
    pub(crate) async fn store(&self) -> PostgresStore {
        let store = self.lazy();
        store.migrate().await.expect("the schema is migrated");
        store
    }

    /// The store in this schema, nothing asked yet.
    pub(crate) fn lazy(&self) -> PostgresStore {
        PostgresStore::connect_lazy(&self.url)
            .expect("a URL")
            .with_schema(&self.name)
            .expect("a name")
            .with_pool_size(4)
    }

    /// A connection whose search path is this schema.
    pub(crate) async fn client(&self) -> Client {
        let client = client(&self.url).await;
        client.batch_execute(&format!("SET search_path TO {}", self.name)).await.expect("the search path is set");
        client
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (name, url) = (self.name.clone(), self.url.clone());
        // A test's runtime may be at its end: this one's is its own.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let client = client(&url).await;
                client.batch_execute(&format!("DROP SCHEMA IF EXISTS {name} CASCADE")).await
            })
        })
        .join();
        if !std::thread::panicking() {
            dropped.expect("the thread ends").expect("the schema is dropped");
        }
    }
}
