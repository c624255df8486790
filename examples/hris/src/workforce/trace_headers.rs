//! The trace that a call is part of, told to who is called.

use scheduler::TraceContext;
use tonic::{Request, Status, service::Interceptor};

use crate::telemetry;

/// Puts the trace that a call is part of into its metadata: as it is at the span around the call if that is exported, else
/// as it was given.
#[derive(Debug, Clone, Default)]
pub(super) struct TraceHeaders {
    given: Option<TraceContext>,
}

impl TraceHeaders {
    pub(super) const fn new(given: Option<TraceContext>) -> Self {
        Self { given }
    }
}

impl Interceptor for TraceHeaders {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let trace = telemetry::current_trace().or_else(|| self.given.clone());
        for (name, value) in trace.iter().flat_map(TraceContext::headers) {
            let value = value.parse().expect("a trace's headers are visible ASCII and spaces");
            request.metadata_mut().insert(name, value);
        }
        Ok(request)
    }
}
