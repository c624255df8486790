//! The store's handle.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use scheduler_core::{
    execution::Execution,
    identity::{ExecutionId, InstanceId, JobId},
    occurrence::OccurrenceKey,
    store::{
        AnnounceRequest, Announced, AuditEntry, AuditId, AuditQuery, AuditRecord, BackfillAnswer, BackfillRequest,
        CancelOutcome, CancelRequest, Claim, ClaimOutcome, ClaimRecord, ControlStore, Decided, Deciding, DueExecution,
        DueRequest, ExecutionPage, ExecutionQuery, ExecutionStore, Finish, FinishOutcome, Heartbeat, HeldLease,
        HistoryStore, InstanceRecord, JobRevision, JobState, LogPage, LogQuery, LostClaim, ManualOutcome,
        ManualRequest, OperatorStore, PauseOutcome, PauseRequest, Planner, PruneRequest, Pruned, RecoverRequest,
        Recovered, RenewedLease, Report, ReportStore, ResumeOutcome, ResumeRequest, RetryOutcome, RetryRequest,
        SkipOutcome, SkipRequest, Store, StoreCapabilities, StoreError, Summary, SummaryQuery, Survey, SurveyRequest,
        TakeOutcome, TakeRequest, WatermarkMove,
    },
};

use crate::{
    MigrationCheck, PostgresConfig, PostgresError, StoreIdentity, announce,
    apart::Apart,
    audit, backfill, claim, control, decide, finish, history, identity, make_way, migrate, operator, pause,
    pool::{Connections, Shared},
    prune, recover, renew, report, request, survey, take,
};

/// How many connections a handle has at most, unless told otherwise.
const POOL_SIZE: usize = 8;

/// The longest name that PostgreSQL takes.
const LONGEST_NAME: usize = 63;

/// The execution store on PostgreSQL.
///
/// Clones share one pool. [`Store::attach`] gives a handle with a pool of its own.
#[derive(Clone)]
pub struct PostgresStore {
    config: PostgresConfig,
    schema: Option<String>,
    pool_size: usize,
    connections: Connections,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("config", &self.config)
            .field("schema", &self.schema)
            .field("pool_size", &self.pool_size)
            .finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects, checks that the tables fit this code, makes or migrates them where they don't, and lets the one
    /// connection go.
    ///
    /// The tables are those of the first schema of the connection's search path. The URL is read by
    /// [`PostgresConfig::parse`].
    ///
    /// # Errors
    /// [`PostgresError`] says what is wrong and what to do.
    pub async fn connect(url: &str) -> Result<Self, PostgresError> {
        let store = Self::connect_lazy(url)?;
        store.migrate().await?;
        Ok(store)
    }

    /// The store, without asking whether anybody answers; the first call connects.
    ///
    /// The engine prepares it at its start, and so makes or migrates the tables.
    ///
    /// # Errors
    /// When the URL can't be used.
    pub fn connect_lazy(url: &str) -> Result<Self, PostgresError> {
        Ok(Self::new(PostgresConfig::parse(url)?))
    }

    /// The store at a place that was read before; as [`PostgresStore::connect_lazy`].
    #[must_use]
    pub fn new(config: PostgresConfig) -> Self {
        Self::build(config, None, POOL_SIZE)
    }

    fn build(config: PostgresConfig, schema: Option<String>, pool_size: usize) -> Self {
        let shared = Arc::new(Shared::new(config.clone(), schema.clone()));
        Self { config, schema, pool_size, connections: Connections::new(shared, pool_size) }
    }

    /// The same place with the tables in this schema, which [`PostgresStore::migrate`] makes if it is not there: by
    /// schema, several services share a database.
    ///
    /// # Errors
    /// [`PostgresError::SchemaName`] unless the name is 1 to 63 of `a-z`, `0-9` and `_` and starts with no digit.
    pub fn with_schema(self, schema: &str) -> Result<Self, PostgresError> {
        let is_name = schema.len() <= LONGEST_NAME
            && schema.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && schema.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !is_name {
            return Err(PostgresError::SchemaName { name: schema.chars().take(100).collect() });
        }
        Ok(Self::build(self.config, Some(schema.to_owned()), self.pool_size))
    }

    /// The same place with at most this many connections a handle (8 unless told otherwise).
    ///
    /// # Panics
    /// When `size` is 0.
    #[must_use]
    pub fn with_pool_size(self, size: usize) -> Self {
        Self::build(self.config, self.schema, size)
    }

    /// Where the database is.
    #[must_use]
    pub const fn config(&self) -> &PostgresConfig {
        &self.config
    }

    /// Checks the tables on a connection of its own, and makes or migrates them where they are behind this code. Safe
    /// when several instances do it at once.
    ///
    /// # Errors
    /// As [`PostgresStore::connect`].
    ///
    /// # Cancel safety
    /// The step that a dropped call was at has changed nothing, and its statement is cancelled at the server. Steps before it
    /// stay done, and the next call goes on from there.
    pub async fn migrate(&self) -> Result<(), PostgresError> {
        let mut apart = Apart::connect(&self.config).await?;
        let migrated = self.connections.shared().migrate(&mut apart.client).await;
        apart.end().await;
        migrated
    }

    /// Which versions of the tables the schema has, which are missing, and whether this code can work with it. Changes
    /// nothing, and needs no right but to read.
    ///
    /// # Errors
    /// When the server does not answer or refuses to tell, and when the schema holds what a migration would refuse.
    pub async fn check_migrations(&self) -> Result<MigrationCheck, PostgresError> {
        let mut apart = Apart::connect(&self.config).await?;
        let check = async {
            let schema = self.connections.shared().schema(&apart.client).await?;
            migrate::check(&mut apart.client, &schema).await
        };
        let check = check.await;
        apart.end().await;
        check
    }

    /// What a migration would do to the schema as it is now, as a text for psql: for teams whose services may not change
    /// tables. Changes nothing.
    ///
    /// It is run in one go by the role that is to own the tables, and refused by itself where the schema has changed since.
    /// Steps that stand outside of transactions do so there too. What waits for older instances is left out while there are
    /// any, which it says.
    ///
    /// # Errors
    /// As [`PostgresStore::check_migrations`], and when the tables are of a newer version that this code can't work with.
    pub async fn migration_script(&self) -> Result<String, PostgresError> {
        let mut apart = Apart::connect(&self.config).await?;
        let script = async {
            let schema = self.connections.shared().schema(&apart.client).await?;
            migrate::script(&mut apart.client, &schema).await
        };
        let script = script.await;
        apart.end().await;
        script
    }

    /// Whose the tables are. Every instance on them answers the same.
    ///
    /// # Errors
    /// When the server does not answer or refuses to tell, and [`PostgresError::Behind`] before the first migration.
    pub async fn identity(&self) -> Result<StoreIdentity, PostgresError> {
        let apart = Apart::connect(&self.config).await?;
        let identity = async {
            let schema = self.connections.shared().schema(&apart.client).await?;
            identity::read(&apart.client, &schema).await
        };
        let identity = migrate::within(identity).await;
        apart.end().await;
        identity
    }

    /// Draws another identity: for a clone, or for what was restored beside the original, before its first instance starts.
    /// Answers the new one; the old one is gone.
    ///
    /// # Errors
    /// As [`PostgresStore::identity`]; the role must be one that may change tables.
    pub async fn draw_identity(&self) -> Result<StoreIdentity, PostgresError> {
        let apart = Apart::connect(&self.config).await?;
        let drawn = async {
            let schema = self.connections.shared().schema(&apart.client).await?;
            identity::draw(&apart.client, &schema).await
        };
        let drawn = migrate::within(drawn).await;
        apart.end().await;
        drawn
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn capabilities(&self) -> StoreCapabilities {
        StoreCapabilities::SERVER
    }

    fn attach(&self) -> Arc<dyn Store> {
        let connections = Connections::new(Arc::clone(self.connections.shared()), self.pool_size);
        Arc::new(Self { connections, ..self.clone() })
    }

    fn namespace(&self) -> Option<String> {
        self.connections.shared().schema_name()
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        self.migrate().await.map_err(|error| error.read("migrate the tables"))
    }

    async fn check(&self) -> Result<(), StoreError> {
        control::check(&self.connections).await.map_err(|error| error.read("check the store"))
    }
}

#[async_trait]
impl ExecutionStore for PostgresStore {
    async fn claim(&self, claims: &[Claim]) -> Result<Vec<ClaimOutcome>, StoreError> {
        claim::claim(&self.connections, claims).await.map_err(|error| error.write("claim occurrences"))
    }

    async fn find_claim(&self, lost: &LostClaim) -> Result<Option<ClaimRecord>, StoreError> {
        claim::find(&self.connections, lost).await.map_err(|error| error.read("look a claim up"))
    }

    async fn due(&self, request: &DueRequest) -> Result<Vec<DueExecution>, StoreError> {
        take::due(&self.connections, request).await.map_err(|error| error.read("look for pending executions"))
    }

    async fn take(&self, requests: &[TakeRequest]) -> Result<Vec<TakeOutcome>, StoreError> {
        take::take(&self.connections, requests).await.map_err(|error| error.write("take pending executions"))
    }

    async fn renew(&self, held: &[HeldLease]) -> Result<Vec<RenewedLease>, StoreError> {
        renew::renew(&self.connections, held).await.map_err(|error| error.write("renew leases"))
    }

    async fn finish(&self, finishes: &[Finish]) -> Result<Vec<FinishOutcome>, StoreError> {
        finish::finish(&self.connections, finishes).await.map_err(|error| error.write("finish executions"))
    }

    async fn survey(&self, request: &SurveyRequest) -> Result<Survey, StoreError> {
        survey::survey(&self.connections, request).await.map_err(|error| error.read("look at what went by"))
    }

    async fn advance(&self, moves: &[WatermarkMove]) -> Result<Vec<JobId>, StoreError> {
        survey::advance(&self.connections, moves).await.map_err(|error| error.write("move watermarks"))
    }

    async fn decide(&self, passes: &[Deciding<'_>]) -> Result<Vec<Option<Decided>>, StoreError> {
        decide::decide(&self.connections, passes).await.map_err(|error| error.write("decide occurrences"))
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Vec<Recovered>, StoreError> {
        recover::recover(&self.connections, request).await.map_err(|error| error.write("recover executions"))
    }

    async fn make_way(&self, jobs: &[JobId]) -> Result<Vec<ExecutionId>, StoreError> {
        make_way::make_way(&self.connections, jobs).await.map_err(|error| error.write("ask holders to stop"))
    }

    async fn request(&self, request: &ManualRequest) -> Result<ManualOutcome, StoreError> {
        request::request(&self.connections, request).await.map_err(|error| error.write("request an execution"))
    }
}

#[async_trait]
impl HistoryStore for PostgresStore {
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        history::execution(&self.connections, id).await.map_err(|error| error.read("read an execution"))
    }

    async fn newest_attempt(
        &self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
    ) -> Result<Option<Execution>, StoreError> {
        history::newest_attempt(&self.connections, job_id, occurrence)
            .await
            .map_err(|error| error.read("read an occurrence"))
    }

    async fn attempts(
        &self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
        most: usize,
    ) -> Result<Vec<Execution>, StoreError> {
        history::attempts(&self.connections, job_id, occurrence, most)
            .await
            .map_err(|error| error.read("read an occurrence's attempts"))
    }

    async fn summary(&self, query: &SummaryQuery) -> Result<Summary, StoreError> {
        history::summary(&self.connections, query).await.map_err(|error| error.read("sum up executions"))
    }

    async fn executions(&self, query: &ExecutionQuery) -> Result<ExecutionPage, StoreError> {
        history::executions(&self.connections, query).await.map_err(|error| error.read("read the history"))
    }

    async fn latest(&self, jobs: &[JobId]) -> Result<Vec<Execution>, StoreError> {
        history::latest(&self.connections, jobs).await.map_err(|error| error.read("read the latest executions"))
    }

    async fn recent(&self, jobs: &[JobId], each: usize) -> Result<Vec<Execution>, StoreError> {
        history::recent(&self.connections, jobs, each).await.map_err(|error| error.read("read recent executions"))
    }

    async fn prune(&self, request: &PruneRequest) -> Result<Pruned, StoreError> {
        prune::prune(&self.connections, request).await.map_err(|error| error.write("prune the history"))
    }
}

#[async_trait]
impl ControlStore for PostgresStore {
    async fn announce(&self, request: &AnnounceRequest, planner: &dyn Planner) -> Result<Vec<Announced>, StoreError> {
        announce::announce(&self.connections, request, planner).await.map_err(|error| error.write("announce jobs"))
    }

    async fn revisions(&self, job_id: &JobId) -> Result<Vec<Arc<JobRevision>>, StoreError> {
        control::revisions(&self.connections, job_id).await.map_err(|error| error.read("read a job's revisions"))
    }

    async fn orphaned(&self, lease: std::time::Duration) -> Result<Vec<JobState>, StoreError> {
        control::orphaned(&self.connections, lease).await.map_err(|error| error.read("read orphaned jobs"))
    }

    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<chrono::DateTime<chrono::Utc>, StoreError> {
        control::heartbeat(&self.connections, heartbeat).await.map_err(|error| error.write("send a heartbeat"))
    }

    async fn leave(&self, instance: InstanceId) -> Result<(), StoreError> {
        control::leave(&self.connections, instance).await.map_err(|error| error.write("leave"))
    }

    async fn states(&self, jobs: &[JobId]) -> Result<Vec<JobState>, StoreError> {
        control::states(&self.connections, jobs).await.map_err(|error| error.read("read the jobs' states"))
    }

    async fn pauses_over(&self, limit: usize) -> Result<Vec<JobId>, StoreError> {
        pause::over(&self.connections, limit).await.map_err(|error| error.read("look for pauses that are over"))
    }

    async fn instances(&self) -> Result<Vec<InstanceRecord>, StoreError> {
        control::instances(&self.connections).await.map_err(|error| error.read("read the instances"))
    }
}

#[async_trait]
impl OperatorStore for PostgresStore {
    async fn pause(&self, request: &PauseRequest, planner: &dyn Planner) -> Result<PauseOutcome, StoreError> {
        pause::pause(&self.connections, request, planner).await.map_err(|error| error.write("pause a job"))
    }

    async fn resume(&self, request: &ResumeRequest, planner: &dyn Planner) -> Result<ResumeOutcome, StoreError> {
        pause::resume(&self.connections, request, planner).await.map_err(|error| error.write("resume a job"))
    }

    async fn backfill(&self, request: &BackfillRequest) -> Result<Option<Vec<BackfillAnswer>>, StoreError> {
        backfill::backfill(&self.connections, request).await.map_err(|error| error.write("backfill occurrences"))
    }

    async fn retry(&self, request: &RetryRequest) -> Result<RetryOutcome, StoreError> {
        backfill::retry(&self.connections, request).await.map_err(|error| error.write("retry an execution"))
    }

    async fn cancel(&self, request: &CancelRequest) -> Result<CancelOutcome, StoreError> {
        operator::cancel(&self.connections, request).await.map_err(|error| error.write("cancel an execution"))
    }

    async fn skip(&self, request: &SkipRequest) -> Result<SkipOutcome, StoreError> {
        operator::skip(&self.connections, request).await.map_err(|error| error.write("skip an occurrence"))
    }

    async fn record(&self, record: &AuditRecord) -> Result<AuditId, StoreError> {
        audit::record(&self.connections, record).await.map_err(|error| error.write("add to the audit"))
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        audit::read(&self.connections, query).await.map_err(|error| error.read("read the audit"))
    }
}

#[async_trait]
impl ReportStore for PostgresStore {
    async fn report(&self, reports: &[Report]) -> Result<(), StoreError> {
        report::report(&self.connections, reports).await.map_err(|error| error.write("keep what executions say"))
    }

    async fn logs(&self, query: &LogQuery) -> Result<LogPage, StoreError> {
        report::logs(&self.connections, query).await.map_err(|error| error.read("read log lines"))
    }
}
