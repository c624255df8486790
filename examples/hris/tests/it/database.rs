//! A schema of the test's own on the real server.

use tokio_postgres::{Client, NoTls};

/// A schema of the test's own.
pub(crate) struct Database {
    /// Leads to the schema.
    pub(crate) url: String,
    pub(crate) client: Client,
    schema: String,
}

impl Database {
    pub(crate) async fn create() -> Self {
        let url = std::env::var("DATABASE_URL").expect("`DATABASE_URL` is set: run `cargo xtask services up`");
        let schema = format!("hris_test_{}", uuid::Uuid::new_v4().simple());
        let client = connect(&url).await;
        client
            .batch_execute(&format!("CREATE SCHEMA {schema}; SET search_path = {schema}"))
            .await
            .expect("may create schemas");
        let separator = if url.contains('?') { '&' } else { '?' };
        Self {
            url: format!("{url}{separator}application_name={schema}&options=-csearch_path%3D{schema}"),
            client,
            schema,
        }
    }

    /// Ends the connections that were made with the URL, and returns how many there were.
    pub(crate) async fn break_connections(&self) -> i64 {
        let kill = "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity \
                    WHERE application_name = $1";
        self.client.query_one(kill, &[&self.schema]).await.expect("kills").get(0)
    }

    pub(crate) async fn count(&self, condition: &str) -> i64 {
        let query = format!("SELECT count(*) FROM attendances WHERE {condition}");
        self.client.query_one(&query, &[]).await.expect("counts").get(0)
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server of `DATABASE_URL` answers");
    tokio::spawn(connection);
    client
}
