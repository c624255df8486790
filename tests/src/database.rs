//! A database for one test.

use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::server;

/// A database of one test, on the server of `DATABASE_URL`, with a connection to it.
#[derive(Debug)]
pub struct Database {
    name: String,
    /// A connection, for a test's own looks.
    pub client: Client,
}

impl Database {
    /// An empty database.
    ///
    /// # Panics
    /// When the server is not there.
    pub async fn create() -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let admin = connect(&server("DATABASE_URL")).await;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database is made");
        let client = connect(&url_of(&name)).await;
        Self { name, client }
    }

    /// Its name, which no other test has.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        url_of(&self.name)
    }

    /// The single number that a query answers.
    ///
    /// # Panics
    /// When it does not.
    pub async fn number(&self, query: &str) -> i64 {
        self.client.query_one(query, &[]).await.unwrap_or_else(|error| panic!("{query}: {error}")).get(0)
    }

    /// Drops the database, with whoever is connected to it.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn drop(self) {
        let Self { name, client } = self;
        drop(client);
        let admin = connect(&server("DATABASE_URL")).await;
        admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.expect("the database is dropped");
    }
}

/// The URL of a database on the same server: its path replaced.
fn url_of(name: &str) -> String {
    let url = server("DATABASE_URL");
    let (base, query) =
        url.split_once('?').map_or((url.as_str(), String::new()), |(base, query)| (base, format!("?{query}")));
    let host_end = base.find("://").map_or(0, |scheme| scheme + 3);
    let path = base[host_end..].find('/').map_or(base.len(), |slash| host_end + slash);
    format!("{}/{name}{query}", &base[..path])
}

/// A connection to this database.
///
/// # Panics
/// When nobody answers.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("PostgreSQL of `DATABASE_URL` answers");
    tokio::spawn(connection);
    client
}
