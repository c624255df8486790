//! A connection apart from the pool, for what is asked once and may take long.

use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::{
    config::{CancelOnDrop, PostgresConfig},
    error::PostgresError,
    migrate,
};

/// A connection of its own. Dropped before its end, what it waits for is cancelled at the server.
pub(crate) struct Apart {
    pub(crate) client: Client,
    served: JoinHandle<Result<(), tokio_postgres::Error>>,
    cancels: CancelOnDrop,
}

impl Apart {
    pub(crate) async fn connect(config: &PostgresConfig) -> Result<Self, PostgresError> {
        let (client, connection) = migrate::within(config.connect()).await?;
        let served = tokio::spawn(connection);
        let cancels = config.cancel_on_drop(&client);
        Ok(Self { client, served, cancels })
    }

    /// Says goodbye.
    pub(crate) async fn end(self) {
        self.cancels.defuse();
        drop(self.client);
        // Ends once the goodbye is sent; what it answers changes nothing any more.
        let _ = self.served.await;
    }
}
