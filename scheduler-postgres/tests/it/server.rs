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

/// A role with the rights that docs/backends.md grants in this schema, and no others.
#[derive(Debug)]
pub(crate) struct ServiceRole {
    pub(crate) name: String,
    pub(crate) url: String,
    schema: Arc<Schema>,
}

impl ServiceRole {
    /// The statements of docs/backends.md, for this schema and role.
    pub(crate) fn grants(schema: &str, role: &str) -> String {
        let page = include_str!("../../../docs/backends.md");
        let blocks = page.split("```sql\n").skip(1).filter_map(|block| block.split("```").next());
        let granting: Vec<&str> = blocks.filter(|block| block.contains("GRANT USAGE ON SCHEMA duty")).collect();
        let [grants] = granting[..] else { panic!("docs/backends.md has one block of grants, not {granting:?}") };
        grants.replace("hris_service", role).replace("duty", schema)
    }

    /// A role that may log in; it may do nothing in the schema yet, not even what everybody may do with a function.
    pub(crate) async fn without_grants(schema: &Arc<Schema>) -> Self {
        let role = schema.name.replace("test_", "service_");
        let admin = client(&schema.url).await;
        admin.batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'pw'")).await.expect("a role is made");
        let (scheme, rest) = schema.url.split_once("://").expect("a URL");
        let (_, place) = rest.rsplit_once('@').expect("a user");
        Self { name: role.clone(), url: format!("{scheme}://{role}:pw@{place}"), schema: Arc::clone(schema) }
    }

    /// Gives it what docs/backends.md says, in a schema that was migrated.
    pub(crate) async fn grant(&self) {
        let schema = &self.schema.name;
        let admin = client(&self.schema.url).await;
        let of_everybody = format!("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC");
        admin.batch_execute(&of_everybody).await.expect("revoked");
        admin.batch_execute(&Self::grants(schema, &self.name)).await.expect("what the page grants is there");
    }

    /// The store in the schema, as this role, nothing asked yet.
    pub(crate) fn lazy(&self) -> PostgresStore {
        let store = PostgresStore::connect_lazy(&self.url).expect("a URL");
        store.with_schema(&self.schema.name).expect("a name").with_pool_size(4)
    }
}

impl Drop for ServiceRole {
    fn drop(&mut self) {
        let sql = format!("DROP OWNED BY {role}; DROP ROLE {role}", role = self.name);
        run_at_the_end(self.schema.url.clone(), sql);
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        run_at_the_end(self.url.clone(), format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name));
    }
}

/// Runs this when a test lets go of something; its runtime may be at its end: this one's is its own.
fn run_at_the_end(url: String, sql: String) {
    let done = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let client = client(&url).await;
            client.batch_execute(&sql).await
        })
    })
    .join();
    if !std::thread::panicking() {
        done.expect("the thread ends").expect("it is done");
    }
}
