//! Spans, sent to a collector by OTLP over gRPC.

mod outage;

use std::{collections::HashMap, time::Duration};

use opentelemetry::{
    propagation::TextMapPropagator as _,
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use scheduler::TraceContext;
use tracing::{Span, Subscriber, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::LevelFilter, registry::LookupSpan};

use self::outage::ToldOutages;
use super::TelemetryError;

/// The service's name among others, unless `OTEL_SERVICE_NAME` gives another.
const SERVICE: &str = "hris";

/// How long the end may wait for what is still to be sent.
const FLUSH: Duration = Duration::from_secs(5);

/// How long a collector may take; less than the flush has, so that it sees why it failed.
const EXPORT: Duration = Duration::from_secs(4);

/// The export of spans, under way.
#[derive(Debug)]
pub(super) struct Exported(SdkTracerProvider);

impl Exported {
    /// Exports to what this variable names.
    pub(super) fn start(variable: &'static str) -> Result<Self, TelemetryError> {
        let exporter = SpanExporter::builder().with_tonic().with_timeout(EXPORT).build();
        let exporter = exporter.map_err(|source| TelemetryError { variable, source: source.into() })?;
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name(SERVICE);
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(ToldOutages::new(exporter))
            .build();
        Ok(Self(provider))
    }

    /// What hands spans over; whatever the log shows, these are of level `info` and above.
    pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        // The fields are those of docs/telemetry.md, and no more.
        let layer = tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        layer.with_filter(LevelFilter::INFO)
    }

    pub(super) async fn stop(self) {
        // Its own thread sends, over connections that this runtime serves: waiting must not hold up a worker of it.
        let stopped = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FLUSH)).await;
        if let Ok(Err(error)) = stopped {
            warn!(%error, "the last spans may not have been exported");
        }
    }
}

pub(super) fn continue_trace(span: &Span, trace: &TraceContext) {
    let headers: HashMap<_, _> = trace.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    // An error says that the span is exported nowhere.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&headers));
}

pub(super) fn current_trace() -> Option<TraceContext> {
    let mut headers = HashMap::new();
    let context = Span::current().context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    TraceContextPropagator::new().inject_context(&context, &mut headers);
    let trace = TraceContext::parse(headers.get("traceparent")?)?;
    Some(headers.get("tracestate").into_iter().fold(trace, |trace, state| trace.with_tracestate(state)))
}
