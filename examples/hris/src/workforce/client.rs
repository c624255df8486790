//! The Workforce API, called.

use std::time::Duration;

use futures_util::{Stream, stream};
use scheduler::TraceContext;
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint},
};
use tracing::warn;

use super::{
    EmployeePage, PAGE_LIMIT, WorkforceError,
    paging::Paging,
    proto::{
        common::Pagination,
        employee::{ListEmployeesRequest, ListEmployeesResponse, employee_service_client::EmployeeServiceClient},
    },
    trace_headers::TraceHeaders,
};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A call under way asks after the connection so often, so that a half-open one is found.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How patient a client is with one page.
#[derive(Debug, Clone, Copy)]
pub struct CallPolicy {
    /// How long an answer may take.
    pub deadline: Duration,
    /// How often a page is asked for, at least once.
    pub tries: u32,
    /// The pause before the second try; it doubles with each further one.
    pub first_pause: Duration,
}

impl Default for CallPolicy {
    /// Ten seconds an answer, five tries, pauses of 0.5, 1, 2 and 4 s: a service that restarts is waited for.
    fn default() -> Self {
        Self { deadline: Duration::from_secs(10), tries: 5, first_pause: Duration::from_millis(500) }
    }
}

/// A client of the Workforce Service; clones share the connection.
#[derive(Debug, Clone)]
pub struct WorkforceClient {
    channel: Channel,
    trace: TraceHeaders,
    policy: CallPolicy,
}

/// The text is no URL of a gRPC server. It is not repeated, for it may hold a password.
#[derive(Debug, Error)]
#[error("not a URL of a gRPC server, such as `http://workforce:50051`")]
pub struct InvalidWorkforceUrl;

impl WorkforceClient {
    /// A client of the service at this URL, which it connects to at the first call, and again when needed.
    ///
    /// Must be called on a tokio runtime.
    ///
    /// # Errors
    /// When the text is no `http` URL with a host.
    pub fn try_new(url: &str) -> Result<Self, InvalidWorkforceUrl> {
        let channel = endpoint(url)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE / 2)
            .connect_lazy();
        Ok(Self { channel, trace: TraceHeaders::default(), policy: CallPolicy::default() })
    }

    /// Whether [`Self::try_new`] takes this URL; needs no runtime.
    ///
    /// # Errors
    /// When the text is no `http` URL with a host.
    pub fn check_url(url: &str) -> Result<(), InvalidWorkforceUrl> {
        endpoint(url).map(drop)
    }

    /// The same client, as patient as this says.
    #[must_use]
    pub fn with_policy(mut self, policy: CallPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The same client, for calls in this trace where no span around them is exported.
    #[must_use]
    pub fn in_trace(&self, trace: Option<TraceContext>) -> Self {
        Self { trace: TraceHeaders::new(trace), ..self.clone() }
    }

    /// All active employees, a page at a time, each employee once however often a page repeats.
    ///
    /// A page that can't be had for now (UNAVAILABLE, DEADLINE_EXCEEDED, a broken connection) is asked for again, as
    /// often as the policy says. The stream always ends, and after an error has nothing more.
    pub fn active_employees(
        &self,
        cancellation: CancellationToken,
    ) -> impl Stream<Item = Result<EmployeePage, WorkforceError>> + Send + use<> {
        let walk = (self.clone(), Paging::new(PAGE_LIMIT), cancellation);
        stream::try_unfold(walk, |(client, mut paging, cancellation)| async move {
            let Some(page) = paging.next_page() else { return Ok(None) };
            let answer = tokio::select! {
                biased;
                () = cancellation.cancelled() => return Err(WorkforceError::Cancelled { page }),
                answer = client.page(page) => answer?,
            };
            let page = paging.take(answer)?;
            Ok(Some((page, (client, paging, cancellation))))
        })
    }

    /// One page, asked for until it is had or the policy's tries are used up.
    async fn page(&self, page: i32) -> Result<ListEmployeesResponse, WorkforceError> {
        let mut pause = self.policy.first_pause;
        for tries in 1.. {
            let status = match self.call(page).await {
                Ok(answer) => return Ok(answer),
                Err(status) => status,
            };
            if tries >= self.policy.tries || !may_pass(&status) {
                let (code, message) = (status.code(), status.message().to_owned());
                return Err(WorkforceError::Page { page, tries, code, message, source: Box::new(status) });
            }
            warn!(page, tries, code = ?status.code(), message = status.message(), ?pause, "no page of employees; asks again after the pause");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        unreachable!("the tries are counted")
    }

    async fn call(&self, page: i32) -> Result<ListEmployeesResponse, Status> {
        let deadline = self.policy.deadline;
        let mut request = Request::new(ListEmployeesRequest {
            pagination: Some(Pagination { page, limit: PAGE_LIMIT }),
            is_active: Some(true),
            ..Default::default()
        });
        // Tells the server when to give up; whether it listens or not, the wait ends here.
        request.set_timeout(deadline);
        let mut service = EmployeeServiceClient::with_interceptor(self.channel.clone(), self.trace.clone());
        match tokio::time::timeout(deadline, service.list_employees(request)).await {
            Ok(answer) => answer.map(tonic::Response::into_inner),
            Err(_) => Err(Status::deadline_exceeded(format!("no answer within {deadline:?}"))),
        }
    }
}

fn endpoint(url: &str) -> Result<Endpoint, InvalidWorkforceUrl> {
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|_| InvalidWorkforceUrl)?;
    if endpoint.uri().scheme_str() != Some("http") || endpoint.uri().host().is_none_or(str::is_empty) {
        return Err(InvalidWorkforceUrl);
    }
    Ok(endpoint)
}

/// Whether the same call may succeed a little later.
fn may_pass(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded => true,
        // With a source these were made on this side, of a connection that broke or of the deadline.
        Code::Cancelled | Code::Unknown | Code::Internal => std::error::Error::source(status).is_some(),
        _ => false,
    }
}
