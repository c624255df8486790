//! A Workforce server whose answers the test makes up.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use hris::workforce::{
    CallPolicy, Directory, Employee, WorkforceClient, WorkforceServer,
    proto::employee::{ListEmployeesRequest, ListEmployeesResponse, employee_service_server::EmployeeService},
};
use tonic::{Request, Response, Status};

pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Pauses too short to be waited for, and a deadline that a stalled machine keeps too.
pub(crate) const PATIENCE: CallPolicy =
    CallPolicy { deadline: Duration::from_secs(20), tries: 3, first_pause: Duration::from_millis(1) };

pub(crate) type Answer = Result<ListEmployeesResponse, Status>;

/// What to do with a request: the right answer, and how often this page was asked for before.
type Fault = Box<dyn Fn(i32, u32, Answer) -> BoxFuture<'static, Answer> + Send + Sync>;

/// 2,500 employees, of whom 400 have left.
pub(crate) fn employees() -> Vec<Employee> {
    (1..=2500).map(|id| Employee { employee_id: id, is_active: id % 25 >= 4, ..Default::default() }).collect()
}

/// A running server, and which pages it was asked for.
pub(crate) struct Workforce {
    pub(crate) server: WorkforceServer,
    asked: Arc<Mutex<Vec<i32>>>,
}

impl Workforce {
    /// A server without faults.
    pub(crate) async fn start() -> Self {
        Self::with(|_, _, answer| answer).await
    }

    /// A server whose answer is what the function makes of the page, the earlier requests for it, and the right answer.
    pub(crate) async fn with(fault: impl Fn(i32, u32, Answer) -> Answer + Send + Sync + 'static) -> Self {
        Self::with_async(move |page, before, answer| Box::pin(std::future::ready(fault(page, before, answer)))).await
    }

    /// The same, in its own time.
    pub(crate) async fn with_async(
        fault: impl Fn(i32, u32, Answer) -> BoxFuture<'static, Answer> + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::default();
        let service =
            Faulty { directory: Directory::new(employees()), asked: Arc::clone(&asked), fault: Box::new(fault) };
        let server = WorkforceServer::start_service(LOOPBACK, service).await.expect("a port is free");
        Self { server, asked }
    }

    pub(crate) fn client(&self) -> WorkforceClient {
        client(self.server.address())
    }

    /// The pages asked for, in order.
    pub(crate) fn asked(&self) -> Vec<i32> {
        self.asked.lock().expect("no panic").clone()
    }
}

pub(crate) fn client(address: SocketAddr) -> WorkforceClient {
    WorkforceClient::try_new(&format!("http://{address}")).expect("is a URL").with_policy(PATIENCE)
}

/// Fails the first so many calls, and counts on.
pub(crate) fn failing_first(times: u32, status: fn() -> Status) -> impl Fn(Answer) -> Answer + Send + Sync {
    let calls = AtomicU32::new(0);
    move |answer| if calls.fetch_add(1, Ordering::Relaxed) < times { Err(status()) } else { answer }
}

struct Faulty {
    directory: Directory,
    asked: Arc<Mutex<Vec<i32>>>,
    fault: Fault,
}

#[tonic::async_trait]
impl EmployeeService for Faulty {
    async fn list_employees(
        &self,
        request: Request<ListEmployeesRequest>,
    ) -> Result<Response<ListEmployeesResponse>, Status> {
        let request = request.into_inner();
        let page = request.pagination.map_or(0, |pagination| pagination.page);
        let before = {
            let mut asked = self.asked.lock().expect("no panic");
            asked.push(page);
            asked.iter().filter(|asked| **asked == page).count() as u32 - 1
        };
        (self.fault)(page, before, self.directory.list(&request)).await.map(Response::new)
    }
}
