//! The caller of a request, and what exists for them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Path, Request},
    http::request::Parts,
};
use scheduler_core::{
    OperatorError, SchedulerHandle,
    execution::Execution,
    identity::{ExecutionId, JobId},
    job::Job,
    store::{Actor, AuditRecord},
};
use tracing::warn;

use crate::{
    Authorizer, On, Permission, Principal,
    api::Api,
    body::Fields,
    endpoint::Endpoint,
    error::{ApiError, chain},
    limits::Slot,
    path::{self, Segment},
};

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Who calls, and the endpoint to which they were let in.
pub(crate) struct Caller {
    handle: SchedulerHandle,
    authorizer: Arc<dyn Authorizer>,
    principal: Principal,
    endpoint: &'static Endpoint,
    /// Their place among those who are served.
    slot: Option<Slot>,
}

impl Caller {
    /// The principal of a request to an endpoint; where they may not call it, with any job, the audit has it.
    pub(crate) async fn let_in(
        api: &Api,
        mut principal: Principal,
        endpoint: &'static Endpoint,
        parts: &mut Parts,
    ) -> Result<Self, ApiError> {
        if principal.address.is_none() {
            let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
            principal.address = peer.map(|ConnectInfo(address)| address.ip().to_string());
        }
        let (handle, authorizer) = (api.handle.clone(), Arc::clone(&api.authorizer));
        let caller = Self { handle, authorizer, principal, endpoint, slot: None };
        let allowed = caller.allows(endpoint.permission, On::Any).await;
        if allowed.as_ref().is_ok_and(|allowed| *allowed) {
            return Ok(caller);
        }
        let refusal = allowed.err().unwrap_or_else(|| ApiError::forbidden(endpoint.permission));
        let (job_id, execution_id) = path::named(parts).await;
        Err(caller.refuse(job_id.as_ref(), execution_id, refusal).await)
    }

    /// The caller in their place.
    pub(crate) fn in_slot(self, slot: Slot) -> Self {
        Self { slot: Some(slot), ..self }
    }

    /// Gives up their place for another one.
    pub(crate) fn goes_to(&mut self, slot: Slot) {
        self.slot = Some(slot);
    }

    /// How long they are known, if not for good.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        let left = self.principal.expires_at? - self.handle.now();
        Some(left.to_std().unwrap_or_default())
    }

    /// Reads a body of the fields that the endpoint takes, for as long as a caller may take for it.
    pub(crate) async fn body(&self, request: Request) -> Result<Fields, ApiError> {
        let known: Vec<_> = self.endpoint.fields().map(|field| field.name).collect();
        tokio::select! {
            fields = Fields::read(request, &known) => fields,
            () = self.handle.sleep(BODY_TIME) => Err(ApiError::broken_body()),
        }
    }

    /// Whom the audit names.
    pub(crate) fn actor(&self, reason: Option<String>) -> Actor {
        let Principal { name, address, .. } = &self.principal;
        Actor { who: name.clone(), reason, address: address.clone() }
    }

    /// The job of this instance that the segment names, where the caller may do with it what the endpoint does. What
    /// can't be a job's id is a job that does not exist.
    pub(crate) async fn definition(&self, segment: Segment) -> Result<&Job, ApiError> {
        let id = self.allowed_id(segment).await?;
        match self.handle.definition(&id) {
            Some(job) => Ok(job),
            None => Err(self.refuse(Some(&id), None, ApiError::no_such_job()).await),
        }
    }

    /// The id of a job that may also be another instance's, where the caller may do with it what the endpoint does.
    pub(crate) async fn job_id(&self, segment: Segment) -> Result<JobId, ApiError> {
        let id = self.allowed_id(segment).await?;
        // Told of before the request's body is looked at, as of a job that is ours.
        if self.handle.definition(&id).is_none()
            && let Err(OperatorError::UnknownJob(_)) = self.handle.next(&id, 0).await
        {
            return Err(self.refuse(Some(&id), None, ApiError::no_such_job()).await);
        }
        Ok(id)
    }

    async fn allowed_id(&self, segment: Segment) -> Result<JobId, ApiError> {
        let id = segment.ok().and_then(|Path(id)| JobId::parse(&id).ok());
        let Some(id) = id else { return Err(self.refuse(None, None, ApiError::no_such_job()).await) };
        match self.may(&id, ApiError::no_such_job).await {
            Ok(()) => Ok(id),
            Err(refusal) => Err(self.refuse(Some(&id), None, refusal).await),
        }
    }

    /// The row that the segment names, where the caller may do with its job what the endpoint does.
    pub(crate) async fn execution(&self, segment: Segment) -> Result<Execution, ApiError> {
        let Some(id) = path::execution_id(segment) else {
            return Err(self.refuse(None, None, ApiError::no_such_execution()).await);
        };
        let Some(execution) = self.handle.execution(id).await? else {
            return Err(self.refuse(None, Some(id), ApiError::no_such_execution()).await);
        };
        match self.may(&execution.job_id, ApiError::no_such_execution).await {
            Ok(()) => Ok(execution),
            Err(refusal) => Err(self.refuse(Some(&execution.job_id), Some(id), refusal).await),
        }
    }

    /// Whether the caller sees a job.
    pub(crate) async fn sees(&self, id: &JobId) -> Result<bool, ApiError> {
        self.allows(Permission::Read, self.on(id)).await
    }

    /// Whether the caller may do something with a job.
    #[cfg(feature = "dashboard")]
    pub(crate) async fn may_do(&self, permission: Permission, id: &JobId) -> Result<bool, ApiError> {
        self.allows(permission, self.on(id)).await
    }

    /// Who they are.
    #[cfg(feature = "dashboard")]
    pub(crate) fn name(&self) -> &str {
        &self.principal.name
    }

    /// Whether the caller sees every job, and what is of none.
    pub(crate) async fn sees_all(&self) -> Result<bool, ApiError> {
        self.allows(Permission::Read, On::All).await
    }

    /// The jobs of this instance that the caller sees; `None` where they see every job of every instance.
    pub(crate) async fn scope(&self) -> Result<Option<Vec<JobId>>, ApiError> {
        if self.sees_all().await? {
            return Ok(None);
        }
        let mut seen = Vec::new();
        for job in self.handle.definitions() {
            if self.sees(&job.settings().id).await? {
                seen.push(job.settings().id.clone());
            }
        }
        Ok(Some(seen))
    }

    /// Keeps what was refused in the audit, if the endpoint changes something; the refusal stands where that fails.
    pub(crate) async fn refuse(&self, job_id: Option<&JobId>, id: Option<ExecutionId>, refusal: ApiError) -> ApiError {
        let Some(action) = self.endpoint.action.filter(|_| refusal.is_refusal()) else { return refusal };
        let mut record = AuditRecord::new(&self.actor(None), action).refused(refusal.message());
        record.job_id = job_id.cloned();
        record.execution_id = id;
        if let Err(error) = self.handle.record(&record).await {
            let (by, error) = (&*self.principal.name, chain(&error));
            warn!(by, %action, error, "a refusal could not be added to the audit; it was answered all the same");
        }
        refusal
    }

    /// A job that the caller may not read does not exist for them; one that they may read and not change is forbidden.
    async fn may(&self, id: &JobId, hidden: fn() -> ApiError) -> Result<(), ApiError> {
        if self.allows(self.endpoint.permission, self.on(id)).await? {
            return Ok(());
        }
        let reads = self.endpoint.permission != Permission::Read && self.sees(id).await?;
        Err(if reads { ApiError::forbidden(self.endpoint.permission) } else { hidden() })
    }

    fn on<'a>(&'a self, id: &'a JobId) -> On<'a> {
        let tags = self.handle.definition(id).map_or(&[][..], |job| &job.settings().tags);
        On::Job { id, tags }
    }

    async fn allows(&self, permission: Permission, on: On<'_>) -> Result<bool, ApiError> {
        let allowed = self.authorizer.allows(&self.principal, permission, on).await;
        allowed.map_err(|error| ApiError::refused(error, permission))
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, ApiError> {
        // Extensions must be `Clone`, and a place among those who are served is not.
        let caller = parts.extensions.remove::<Arc<Mutex<Option<Self>>>>();
        let caller = caller.and_then(|caller| caller.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(caller.expect("the gate before every endpoint puts its caller there"))
    }
}
