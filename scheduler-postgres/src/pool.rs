//! Connections: leased from the pool, and closed rather than given back in the middle of something.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use deadpool_postgres::{Object, Pool, PoolError, TimeoutType};
use tokio::sync::OnceCell;
use tokio_postgres::{
    Row,
    error::{DbError, Severity},
    types::{ToSql, Type},
};

use crate::{
    config::PostgresConfig,
    error::PostgresError,
    migrate,
    sql::{Query, Statements},
};

/// A parameter and its type, which an unnamed statement has to be told.
pub(crate) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// What the handles of one store share, whatever pool they use.
#[derive(Debug)]
pub(crate) struct Shared {
    config: PostgresConfig,
    /// The schema asked for; `None` for the search path's first.
    schema: Option<String>,
    statements: OnceCell<Arc<Statements>>,
    /// Whether a server did not know a statement that was prepared on it: a pooler stands between, and statements are
    /// sent without a name from then on (R14).
    unnamed: AtomicBool,
    /// Pending rows that this version can't read.
    left_alone: Mutex<BTreeSet<i64>>,
}

/// How many pending rows that can't be read are left alone at once: a hand that spoiled more of them sees the others tried again.
const LEFT_ALONE: usize = 1_000;

impl Shared {
    pub(crate) fn new(config: PostgresConfig, schema: Option<String>) -> Self {
        Self {
            config,
            schema,
            statements: OnceCell::new(),
            unnamed: AtomicBool::new(false),
            left_alone: Mutex::default(),
        }
    }

    /// The statements for the schema, which is asked of the first connection where it was not named.
    async fn statements(&self, client: &tokio_postgres::Client) -> Result<&Arc<Statements>, PostgresError> {
        let statements = async || match &self.schema {
            Some(schema) => Ok(Arc::new(Statements::of(schema))),
            None => {
                let rows = client.query_typed("SELECT current_schema()::text", &[]).await?;
                let schema: String = rows[0].try_get::<_, Option<String>>(0)?.ok_or(PostgresError::NoSchema)?;
                if schema.contains(['"', '\'', '\\', '{']) {
                    return Err(PostgresError::SchemaName { name: schema });
                }
                Ok(Arc::new(Statements::of(&schema)))
            }
        };
        self.statements.get_or_try_init(statements).await
    }

    /// The schema's name, once it is known.
    pub(crate) fn schema_name(&self) -> Option<String> {
        self.statements.get().map(|statements| statements.schema().to_owned())
    }

    /// The schema's name, asked of this connection where it was not named.
    pub(crate) async fn schema(&self, client: &tokio_postgres::Client) -> Result<String, PostgresError> {
        Ok(self.statements(client).await?.schema().to_owned())
    }

    /// Checks the schema's version on this connection, and migrates it where it is behind.
    pub(crate) async fn migrate(&self, client: &mut tokio_postgres::Client) -> Result<(), PostgresError> {
        let statements = Arc::clone(self.statements(client).await?);
        migrate::run(&self.config, client, statements.schema()).await
    }
}

/// A pool, and what its connections are used with.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    shared: Arc<Shared>,
    pool: Pool,
}

impl Connections {
    pub(crate) fn new(shared: Arc<Shared>, size: usize) -> Self {
        let pool = shared.config.pool(size);
        Self { shared, pool }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// A connection, made if none is free and the pool has room.
    pub(crate) async fn get(&self) -> Result<Connection, PostgresError> {
        let object = self.pool.get().await.map_err(|error| self.explain(error))?;
        let statements = Arc::clone(self.shared.statements(&object).await?);
        Ok(Connection {
            object: Some(object),
            statements,
            shared: Arc::clone(&self.shared),
            outstanding: AtomicUsize::new(0),
            in_transaction: AtomicBool::new(false),
            has_committed: AtomicBool::new(false),
        })
    }

    fn explain(&self, error: PoolError) -> PostgresError {
        match error {
            PoolError::Backend(error) => self.shared.config.explain(error),
            PoolError::Timeout(TimeoutType::Wait) => PostgresError::Busy { size: self.pool.status().max_size },
            other => PostgresError::Unreachable { server: self.shared.config.server(), source: Box::new(other) },
        }
    }
}

/// A leased connection. Dropped with a statement or transaction open, it is closed, so that nobody waits behind it.
#[derive(Debug)]
pub(crate) struct Connection {
    object: Option<Object>,
    statements: Arc<Statements>,
    shared: Arc<Shared>,
    outstanding: AtomicUsize,
    in_transaction: AtomicBool,
    /// Whether a transaction has committed, or a statement outside of one.
    has_committed: AtomicBool,
}

impl Connection {
    /// Runs a statement: one round trip, once it is prepared on this connection.
    pub(crate) async fn query(&self, query: Query, params: &[Param<'_>]) -> Result<Vec<Row>, PostgresError> {
        let rows = self.query_again(query, params).await?;
        if !self.is_in_transaction() {
            self.has_committed.store(true, Ordering::Relaxed);
        }
        Ok(rows)
    }

    /// What an error means for a call whose earlier statements may have committed: nothing is known of any of it.
    pub(crate) fn after_writes(&self, error: PostgresError) -> PostgresError {
        if self.has_committed.load(Ordering::Relaxed) {
            PostgresError::Partial { source: Box::new(error) }
        } else {
            error
        }
    }

    async fn query_again(&self, query: Query, params: &[Param<'_>]) -> Result<Vec<Row>, PostgresError> {
        let rows = self.try_query(query, params).await;
        match rows {
            Err(error) if PostgresError::is_stale_statement(&error) => {
                self.object().statement_cache.clear();
                if PostgresError::is_unknown_statement(&error) {
                    self.shared.unnamed.store(true, Ordering::Relaxed);
                }
                if self.is_in_transaction() {
                    return Err(error.into());
                }
                Ok(self.try_query(query, params).await?)
            }
            rows => Ok(rows?),
        }
    }

    async fn try_query(&self, query: Query, params: &[Param<'_>]) -> Result<Vec<Row>, tokio_postgres::Error> {
        let text = self.statements.text(query);
        let client = self.object();
        self.tracked(async {
            if query.is_planned_anew() || self.shared.unnamed.load(Ordering::Relaxed) {
                return client.query_typed(text, params).await;
            }
            let types: Vec<Type> = params.iter().map(|(_, kind)| kind.clone()).collect();
            let values: Vec<&(dyn ToSql + Sync)> = params.iter().map(|(value, _)| *value).collect();
            let statement = client.prepare_typed_cached(text, &types).await?;
            client.query(&statement, &values).await
        })
        .await
    }

    pub(crate) async fn begin(&self) -> Result<(), PostgresError> {
        self.in_transaction.store(true, Ordering::Relaxed);
        Ok(self.tracked(self.object().batch_execute("BEGIN")).await?)
    }

    pub(crate) async fn commit(&self) -> Result<(), PostgresError> {
        self.tracked(self.object().batch_execute("COMMIT")).await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        self.has_committed.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) async fn rollback(&self) -> Result<(), PostgresError> {
        self.tracked(self.object().batch_execute("ROLLBACK")).await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// The pending rows that this version can't read.
    pub(crate) fn left_alone(&self) -> Vec<i64> {
        self.shared.left_alone.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Leaves these rows alone from now on: this version can't read them.
    pub(crate) fn leave_alone(&self, rows: &[i64]) {
        let mut left_alone = self.shared.left_alone.lock().unwrap_or_else(PoisonError::into_inner);
        let room = LEFT_ALONE.saturating_sub(left_alone.len());
        left_alone.extend(rows.iter().take(room));
    }

    /// Whether a transaction is open, so that what is done is part of it.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::Relaxed)
    }

    /// Sees that this code can work with the schema's tables, once they are brought to its version.
    pub(crate) async fn check(&self) -> Result<(), PostgresError> {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        migrate::fits(self.object(), self.statements.schema()).await?;
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }

    fn object(&self) -> &Object {
        self.object.as_ref().expect("only `drop` takes it")
    }

    /// Notes that a request is on its way until it is answered; one that is never answered leaves its note.
    async fn tracked<T>(
        &self,
        request: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, tokio_postgres::Error> {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        let answer = request.await;
        if answer.as_ref().err().is_none_or(is_survived) {
            self.outstanding.fetch_sub(1, Ordering::Relaxed);
        }
        answer
    }
}

/// Whether the connection goes on after this error: the server has spoken, and not said goodbye.
fn is_survived(error: &tokio_postgres::Error) -> bool {
    let severity = error.as_db_error().map(DbError::parsed_severity);
    severity.is_some_and(|severity| !matches!(severity, Some(Severity::Fatal | Severity::Panic)))
}

impl Drop for Connection {
    fn drop(&mut self) {
        let is_open = *self.outstanding.get_mut() > 0 || *self.in_transaction.get_mut();
        if let Some(object) = self.object.take().filter(|_| is_open) {
            drop(Object::take(object));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Connections, Ordering, Query, Shared, Type};
    use crate::config::PostgresConfig;

    #[tokio::test]
    async fn a_server_that_forgot_a_statement_is_asked_without_one() {
        let url = std::env::var("DATABASE_URL").expect(
            "DATABASE_URL is not set: run `cargo xtask services up` and set what it prints, or run `cargo xtask test`",
        );
        let schema = format!("test_{}", uuid::Uuid::new_v4().simple());
        let shared = Shared::new(PostgresConfig::parse(&url).expect("a URL"), Some(schema.clone()));
        let connections = Connections::new(Arc::new(shared), 1);
        let mut connection = connections.get().await.expect("the server answers");
        let object = connection.object.as_mut().expect("only `drop` takes it");
        connection.shared.migrate(object).await.expect("the tables are made");
        let jobs: [super::Param<'_>; 1] = [(&["hourly"].as_slice(), Type::TEXT_ARRAY)];
        connection.query(Query::States, &jobs).await.expect("prepared");
        // What a pooler does that gives the next transaction another of its connections.
        connection.object().batch_execute("DEALLOCATE ALL").await.expect("forgotten");
        connection.query(Query::States, &jobs).await.expect("asked again");
        assert!(connection.shared.unnamed.load(Ordering::Relaxed));
        connection.object().batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.expect("dropped");
    }
}
