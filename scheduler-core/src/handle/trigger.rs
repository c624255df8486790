//! Running a job on request (R19).

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tracing::info;

use super::SchedulerHandle;
use crate::{
    execution::Execution,
    identity::{ExecutionId, JobId},
    occurrence::OccurrenceKey,
    random,
    store::{Action, Actor, AuditRecord, ManualOutcome, ManualRequest, StoreError},
    trace_context::TraceContext,
};

/// The longest idempotency key, in bytes: what fits an occurrence's column with room to spare.
const LONGEST_IDEMPOTENCY_KEY: usize = 200;

/// A request to run a job now.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is given to `SchedulerHandle::trigger`"]
pub struct TriggerRequest {
    job_id: JobId,
    params: Option<Value>,
    reason: Option<String>,
    idempotency_key: Option<String>,
    triggered_by: Option<String>,
    address: Option<String>,
    trace_context: Option<TraceContext>,
}

impl TriggerRequest {
    /// A request for this job, without parameters.
    pub const fn new(job_id: JobId) -> Self {
        Self {
            job_id,
            params: None,
            reason: None,
            idempotency_key: None,
            triggered_by: None,
            address: None,
            trace_context: None,
        }
    }

    /// Gives the body these parameters, which it takes as `Params<T>`.
    pub fn with_params(mut self, params: Value) -> Self {
        self.params = Some(params);
        self
    }

    /// Says why, for the log and the audit.
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Makes a repetition of this request under the same key answer the same execution: 1 to 200 visible ASCII
    /// characters.
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Says who asks. The audit keeps a request of whom is named.
    pub fn by(mut self, who: impl Into<String>) -> Self {
        self.triggered_by = Some(who.into());
        self
    }

    /// Says from which address, for the audit.
    pub fn from(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Says which trace the request belongs to: the executions continue it ([`JobContext::trace_context`]).
    ///
    /// [`JobContext::trace_context`]: crate::context::JobContext::trace_context
    pub fn in_trace(mut self, trace: TraceContext) -> Self {
        self.trace_context = Some(trace);
        self
    }

    fn actor(&self) -> Option<Actor> {
        let (who, reason, address) = (self.triggered_by.clone()?, self.reason.clone(), self.address.clone());
        Some(Actor { who, reason, address })
    }

    /// The hash of what a repetition under the same key must repeat, whatever the order of its fields.
    fn hash(&self) -> String {
        let body = json!({ "params": self.params, "reason": self.reason });
        let digest = Sha256::digest(canonical(&body).to_string());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The value with the fields of each object in order, even where the map of `serde_json` keeps them as they came.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by(|a, b| a.0.cmp(b.0));
            fields.into_iter().map(|(name, value)| (name.clone(), canonical(value))).collect()
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        other => other.clone(),
    }
}

/// A request that was taken.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Triggered {
    /// Its row.
    pub execution: Execution,
    /// Whether the same request was made before under its idempotency key; nothing more runs then.
    pub repeated: bool,
}

/// Why a request was not taken; no row was written, unless the store's answer was lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// This instance does not have the job, or the store was never told of it.
    #[error("there is no job `{0}`")]
    UnknownJob(JobId),
    /// The parameters do not fit the body's `Params<T>`.
    #[error("{0}")]
    Params(String),
    /// The idempotency key is empty, too long, or has a character that is not visible ASCII.
    #[error("an idempotency key has 1 to {LONGEST_IDEMPOTENCY_KEY} visible ASCII characters")]
    IdempotencyKey,
    /// Another request was made under the same idempotency key.
    #[error("another request was made under this idempotency key")]
    IdempotencyConflict,
    /// The job runs, or waits to run, and its overlap policy is `skip`.
    #[error("the job is already running")]
    AlreadyRunning {
        /// The execution that holds the job's key, where it could be read.
        execution_id: Option<ExecutionId>,
    },
    /// The service dropped this instance's scheduler without stopping it.
    #[error("the scheduler of this instance has stopped, as the service dropped it")]
    Stopped,
    /// The store did not answer.
    #[error("the request could not be written")]
    Store(#[from] StoreError),
}

impl SchedulerHandle {
    /// Runs a job now, on whichever instance takes it first; pause and `enabled` do not matter (R19).
    ///
    /// Returns once the request's row is written; [`SchedulerHandle::wait`] waits for its end.
    ///
    /// # Errors
    /// See [`TriggerError`].
    ///
    /// # Cancel safety
    /// A dropped call may have written its row; repeat it under an idempotency key.
    pub async fn trigger(&self, request: TriggerRequest) -> Result<Triggered, TriggerError> {
        let (job_id, actor) = (request.job_id.clone(), request.actor());
        let answer = self.try_trigger(request).await;
        if let (Some(actor), Err(error)) = (actor, answer.as_ref())
            && !matches!(error, TriggerError::Store(_))
        {
            let record = AuditRecord::new(&actor, Action::Trigger).of_job(&job_id).refused(error.to_string());
            self.note_refusal(&record).await;
        }
        answer
    }

    async fn try_trigger(&self, request: TriggerRequest) -> Result<Triggered, TriggerError> {
        if self.0.health.is_dropped() {
            return Err(TriggerError::Stopped);
        }
        let job = self.definition(&request.job_id).ok_or_else(|| TriggerError::UnknownJob(request.job_id.clone()))?;
        job.check_params(request.params.as_ref()).map_err(TriggerError::Params)?;
        if request.idempotency_key.as_deref().is_some_and(|key| !is_idempotency_key(key)) {
            return Err(TriggerError::IdempotencyKey);
        }
        let settings = job.settings();
        let manual = ManualRequest {
            job_id: settings.id.clone(),
            occurrence: match &request.idempotency_key {
                Some(key) => OccurrenceKey::manual(key),
                None => OccurrenceKey::manual(&random::uuid().to_string()),
            },
            request_hash: request.idempotency_key.is_some().then(|| request.hash()),
            max_attempts: settings.max_attempts(),
            overlap: settings.overlap,
            actor: request.actor(),
            params: request.params,
            trace_context: request.trace_context,
        };
        let outcome = self.limited("request a run", self.0.store.request(&manual)).await?;
        match outcome {
            ManualOutcome::Accepted(execution) => {
                let (triggered_by, reason) = (execution.triggered_by.as_deref(), request.reason.as_deref());
                info!(job_id = %settings.id, execution_id = %execution.id, triggered_by, reason, "a run was requested");
                self.0.look.notify_one();
                Ok(Triggered { execution: *execution, repeated: false })
            }
            ManualOutcome::Repeated(execution) => Ok(Triggered { execution: *execution, repeated: true }),
            ManualOutcome::IdempotencyConflict => Err(TriggerError::IdempotencyConflict),
            ManualOutcome::AlreadyRunning { execution_id } => Err(TriggerError::AlreadyRunning { execution_id }),
            ManualOutcome::UnknownJob => Err(TriggerError::UnknownJob(manual.job_id)),
        }
    }
}

fn is_idempotency_key(key: &str) -> bool {
    (1..=LONGEST_IDEMPOTENCY_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(params: Value) -> TriggerRequest {
        TriggerRequest::new(JobId::parse("job").expect("a valid id")).with_params(params)
    }

    #[test]
    fn the_hash_of_a_request_knows_its_content_and_not_its_order() {
        let parse = |text: &str| serde_json::from_str(text).expect("valid JSON");
        let one = request(parse(r#"{"a": {"x": 1, "y": [2, 3]}, "b": null}"#));
        let same = request(parse(r#"{"b": null, "a": {"y": [2, 3], "x": 1}}"#));
        assert_eq!(one.hash(), same.hash());
        assert_ne!(one.hash(), request(parse(r#"{"a": {"x": 1, "y": [3, 2]}, "b": null}"#)).hash());
        assert_ne!(one.hash(), one.clone().with_reason("because").hash());
    }

    #[test]
    fn an_idempotency_key_is_visible_and_short() {
        assert!(is_idempotency_key("7f3c-ä".trim_end_matches('ä')));
        for bad in ["", "with space", "ünï", "a\n", &"k".repeat(201)] {
            assert!(!is_idempotency_key(bad), "{bad:?}");
        }
    }
}
