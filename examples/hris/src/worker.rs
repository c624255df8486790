//! What runs the jobs: the scheduler, and what they work with.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use scheduler::{
    RunningScheduler, Scheduler, SchedulerHandle, postgres::PostgresStore, redis::RedisLocks,
    store::memory::MemoryStore,
};
use tracing::warn;

use crate::{
    attendance::{AttendanceStore, MemoryAttendance, PostgresAttendance},
    hris::Hris,
    jobs::demo_tick,
    service::ServiceError,
    settings::Settings,
    telemetry,
    workforce::{Directory, WorkforceClient, WorkforceServer, demo_employees},
};

/// How long executions may take to end once the service is stopped.
const DRAIN: Duration = Duration::from_secs(20);

/// The scheduler, running, and the Workforce server of its own where it has one.
#[derive(Debug)]
pub struct Worker {
    scheduler: RunningScheduler,
    workforce: Option<WorkforceServer>,
}

impl Worker {
    /// Starts the scheduler on the backends that the settings name, and says what it does once that is something else than
    /// bringing the database's tables up to date.
    ///
    /// # Errors
    /// When a backend can't be had, or a job's definition is wrong; nothing is left running.
    pub async fn start(settings: &Settings, doing: impl Fn(&'static str)) -> Result<Self, ServiceError> {
        let builder = match &settings.database_url {
            Some(url) => Scheduler::builder(PostgresStore::connect(url).await?),
            None => Scheduler::builder(MemoryStore::new()),
        };
        doing("the scheduler starts");
        let builder = match &settings.redis_url {
            Some(url) => builder.lock_backend(RedisLocks::connect(url).await?),
            None => builder,
        };
        let attendance: Arc<dyn AttendanceStore> = match &settings.database_url {
            Some(url) => Arc::new(PostgresAttendance::connect(url).await?),
            None => Arc::new(MemoryAttendance::default()),
        };
        let (workforce, workforce_url) = match &settings.workforce_url {
            Some(url) => (None, url.clone()),
            None => {
                let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let server = WorkforceServer::start(loopback, Directory::new(demo_employees())).await?;
                let url = format!("http://{}", server.address());
                (Some(server), url)
            }
        };
        let hris = Hris::new(WorkforceClient::try_new(&workforce_url)?, attendance);
        let builder = builder.state(hris).version(env!("CARGO_PKG_VERSION"));
        let builder = telemetry::continue_traces(builder);
        let builder = if settings.with_demo_tick { builder.job(demo_tick()) } else { builder };
        let scheduler = builder.build()?.start().await?;
        Ok(Self { scheduler, workforce })
    }

    /// What the API and the command line use of the scheduler.
    #[must_use]
    pub const fn handle(&self) -> &SchedulerHandle {
        self.scheduler.handle()
    }

    /// Lets running executions end, for thirty seconds, and ends.
    pub async fn stop(self) {
        self.scheduler.shutdown(DRAIN).await;
        if let Some(workforce) = self.workforce
            && let Err(error) = workforce.stop().await
        {
            warn!(%error, "the demo Workforce server had ended before it was stopped");
        }
    }
}
