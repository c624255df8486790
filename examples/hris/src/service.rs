//! The service, from its start to its stop.

mod error;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Router, routing::get};
use scheduler_core::clock::SystemClock;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use error::ServiceError;

use crate::{
    attendance::{AttendanceStore, MemoryAttendance, PostgresAttendance},
    auth::{Secret, Tokens},
    hris::Hris,
    page::Parts,
    settings::Settings,
    workforce::{Directory, WorkforceClient, WorkforceServer, demo_employees},
};

/// How long requests under way may take once the service is stopped.
const HTTP_DRAIN: Duration = Duration::from_secs(10);

/// The service, running.
#[derive(Debug)]
pub struct Service {
    hris: Hris,
    tokens: Tokens,
    has_own_secret: bool,
    http: HttpServer,
    workforce: Option<WorkforceServer>,
}

impl Service {
    /// Starts everything that the settings ask for, and returns once requests are answered.
    ///
    /// # Errors
    /// When the database can't be had or an address is taken; nothing is left running.
    pub async fn start(settings: &Settings) -> Result<Self, ServiceError> {
        let (secret, has_own_secret) = match &settings.jwt_secret {
            Some(secret) => (secret.clone(), false),
            None => (Secret::random(), true),
        };
        if settings.database_url.is_some() || settings.redis_url.is_some() {
            warn_of_demo_parts(settings);
        }
        // Taken first: a second service on the same port must not touch the database.
        let listener = HttpServer::listen(settings.http_address).await?;
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
        let tokens = Tokens::new(&secret, Arc::new(SystemClock));
        let http = listener.serve(router(parts(settings)));
        info!(address = %http.address, ?settings, "the HRIS service is up");
        Ok(Self { hris, tokens, has_own_secret, http, workforce })
    }

    /// Where the API listens.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http.address
    }

    /// What the jobs work with.
    #[must_use]
    pub fn hris(&self) -> &Hris {
        &self.hris
    }

    /// The tokens that the service takes.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Whether the secret was made at the start, so that nobody but this process can issue tokens.
    #[must_use]
    pub fn has_own_secret(&self) -> bool {
        self.has_own_secret
    }

    /// Accepts nothing more, lets requests under way end, for ten seconds, and ends.
    pub async fn stop(self) {
        self.http.stop().await;
        if let Some(workforce) = self.workforce
            && let Err(error) = workforce.stop().await
        {
            warn!(%error, "the demo Workforce server had ended before it was stopped");
        }
        info!("the HRIS service has stopped");
    }
}

fn warn_of_demo_parts(settings: &Settings) {
    if settings.jwt_secret.is_none() {
        warn!(
            "`HRIS_JWT_SECRET` is not set: other instances will not take this instance's tokens, nor those from before a restart"
        );
    }
    if settings.workforce_url.is_none() {
        warn!("`WORKFORCE_GRPC_URL` is not set: the attendance rows will be those of demo employees");
    }
}

fn parts(settings: &Settings) -> Parts {
    Parts {
        store: if settings.database_url.is_some() { "PostgreSQL" } else { "memory, until the process ends" },
        locks: if settings.redis_url.is_some() { "Redis" } else { "the store alone" },
        workforce: if settings.workforce_url.is_some() {
            "the Workforce Service's"
        } else {
            "for show, from this process"
        },
    }
}

fn router(parts: Parts) -> Router {
    let page = parts.page();
    Router::new().route("/", get(move || std::future::ready(page.clone())))
}

/// An address that is ours.
struct HttpListener {
    listener: TcpListener,
    address: SocketAddr,
}

/// The API, served.
#[derive(Debug)]
struct HttpServer {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl HttpServer {
    async fn listen(address: SocketAddr) -> Result<HttpListener, ServiceError> {
        let error = |source| ServiceError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        Ok(HttpListener { listener, address })
    }

    async fn stop(self) {
        self.stop.cancel();
        let abort = self.task.abort_handle();
        match tokio::time::timeout(HTTP_DRAIN, self.task).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => warn!(%error, "the HTTP server had ended before it was stopped"),
            Ok(Err(error)) => warn!(%error, "the HTTP server had ended before it was stopped"),
            Err(_) => {
                warn!(?HTTP_DRAIN, "requests are still under way; their connections are closed");
                abort.abort();
            }
        }
    }
}

impl HttpListener {
    fn serve(self, router: Router) -> HttpServer {
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(async { axum::serve(self.listener, router).with_graceful_shutdown(stopped).await });
        HttpServer { address: self.address, stop, task }
    }
}
