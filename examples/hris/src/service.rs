//! The service, from its start to its stop.

mod error;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, serve::ListenerExt as _};
use scheduler::{
    SchedulerHandle,
    admin::{AdminApi, Metrics, SessionKey, Startup, health_router},
    clock::SystemClock,
};
#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use error::ServiceError;

use crate::{
    auth::{BearerTokens, Secret, Tokens, roles},
    settings::Settings,
    worker::Worker,
};

/// How long requests under way may take once the service is stopped.
const HTTP_DRAIN: Duration = Duration::from_secs(10);

/// How long a client may leave unread what was sent to it, until its connection is closed.
#[cfg(target_os = "linux")]
const UNREAD: Duration = Duration::from_secs(30);

/// The service, running.
#[derive(Debug)]
pub struct Service {
    worker: Worker,
    tokens: Tokens,
    has_own_secret: bool,
    http: HttpServer,
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
        let metrics = Metrics::install()?;
        // Whoever asks whether the process lives is answered while the tables are migrated, however long that takes.
        let startup = Startup::new("the database's tables are migrated");
        let http = listener.serve(startup.router());
        let worker = match Worker::start(settings, |doing| startup.doing(doing)).await {
            Ok(worker) => worker,
            Err(error) => {
                http.stop().await;
                return Err(error);
            }
        };
        let tokens = Tokens::new(&secret, Arc::new(SystemClock));
        let router = router(settings, &secret, worker.handle().clone(), tokens.clone()).merge(metrics.router());
        startup.done(router);
        info!(address = %http.address, ?settings, "the HRIS service is up");
        Ok(Self { worker, tokens, has_own_secret, http })
    }

    /// Where the API listens.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http.address
    }

    /// The scheduler, as the API sees it.
    #[must_use]
    pub fn scheduler(&self) -> &SchedulerHandle {
        self.worker.handle()
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

    /// Starts no execution more and lets those that run end, for thirty seconds; then lets requests under way end, for
    /// ten, and ends. Until then the API answers, and says that it is not ready.
    pub async fn stop(self) {
        self.worker.stop().await;
        self.http.stop().await;
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

fn router(settings: &Settings, secret: &Secret, scheduler: SchedulerHandle, tokens: Tokens) -> Router {
    let api = AdminApi::new(scheduler.clone(), BearerTokens(tokens), roles());
    // Instances with one secret take each other's sessions, as they do each other's tokens.
    let key = SessionKey::try_new(secret.derive("dashboard sessions")).expect("a hash is long enough");
    let environment = if settings.database_url.is_some() { "database" } else { "demo" };
    let mut dashboard = api.dashboard(key).titled("hris").in_environment(environment);
    // Nobody stands between a browser and a service on its own machine, nor does TLS.
    if settings.http_address.ip().is_loopback() {
        dashboard = dashboard.over_plain_http();
    }
    dashboard.router().merge(health_router(scheduler)).merge(api.router())
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
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        // What is sent to who does not read, such as events, is not kept for them for good.
        #[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "other systems have no such option"))]
        let listener = self.listener.tap_io(|stream| {
            #[cfg(target_os = "linux")]
            let _ = SockRef::from(&*stream).set_tcp_user_timeout(Some(UNREAD));
        });
        let task = tokio::spawn(async { axum::serve(listener, service).with_graceful_shutdown(stopped).await });
        HttpServer { address: self.address, stop, task }
    }
}
