//! The Workforce API, served.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

use super::{
    Directory,
    proto::employee::{
        ListEmployeesRequest, ListEmployeesResponse,
        employee_service_server::{EmployeeService, EmployeeServiceServer},
    },
};

/// How long calls under way may take once the server is stopped.
const DRAIN: Duration = Duration::from_secs(5);

/// A running server of the Workforce API.
#[derive(Debug)]
pub struct WorkforceServer {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

/// Why the Workforce API can't be served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkforceServerError {
    /// The address is taken, or not this machine's.
    #[error("can't listen on `{address}`")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The server ended by itself.
    #[error("the Workforce server ended")]
    Serve(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl WorkforceServer {
    /// Serves a directory; port 0 takes a free one. Returns once connections are accepted.
    ///
    /// # Errors
    /// When the address can't be listened on.
    pub async fn start(address: SocketAddr, directory: Directory) -> Result<Self, WorkforceServerError> {
        Self::start_service(address, DirectoryService(Arc::new(directory))).await
    }

    /// Serves any implementation of the API, such as one that answers with faults.
    ///
    /// # Errors
    /// When the address can't be listened on.
    pub async fn start_service(
        address: SocketAddr,
        service: impl EmployeeService,
    ) -> Result<Self, WorkforceServerError> {
        let listen = |source| WorkforceServerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let stop = CancellationToken::new();
        let server = Server::builder().add_service(EmployeeServiceServer::new(service));
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let task = tokio::spawn(server.serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned()));
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, and lets calls under way end, for five seconds.
    ///
    /// # Errors
    /// When the server had ended by itself.
    pub async fn stop(self) -> Result<(), WorkforceServerError> {
        self.stop.cancel();
        let abort = self.task.abort_handle();
        match tokio::time::timeout(DRAIN, self.task).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(WorkforceServerError::Serve(error.into())),
            Ok(Err(error)) => Err(WorkforceServerError::Serve(error.into())),
            Err(_) => {
                abort.abort();
                Ok(())
            }
        }
    }
}

/// The API on a directory.
#[derive(Debug)]
struct DirectoryService(Arc<Directory>);

#[tonic::async_trait]
impl EmployeeService for DirectoryService {
    async fn list_employees(
        &self,
        request: Request<ListEmployeesRequest>,
    ) -> Result<Response<ListEmployeesResponse>, Status> {
        self.0.list(request.get_ref()).map(Response::new)
    }
}
