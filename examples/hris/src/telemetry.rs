//! The log, what is kept of it with executions, and spans by OTLP where the environment names a collector.

#[cfg(feature = "otlp")]
mod otlp;

use std::io::IsTerminal as _;

use scheduler::{SchedulerBuilder, TraceContext, logs};
use thiserror::Error;
use tracing_subscriber::{
    EnvFilter, Layer, layer::SubscriberExt as _, registry::LookupSpan, util::SubscriberInitExt as _,
};

/// What names a collector, as OpenTelemetry has it: for all that is exported, and for spans alone.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// The process's log and its export of spans.
#[derive(Debug)]
#[must_use = "what is not stopped loses the spans that were not sent yet"]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    exported: Option<otlp::Exported>,
}

/// Spans can't be exported as the environment says.
#[derive(Debug, Error)]
#[error("spans can't be exported to what `{variable}` names")]
pub struct TelemetryError {
    variable: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Telemetry {
    /// Logs to stderr, as `RUST_LOG` says, and exports spans if `OTEL_EXPORTER_OTLP_ENDPOINT` says where to. Must be called
    /// once, on a tokio runtime.
    ///
    /// # Errors
    /// When the collector's URL is none. Whether anybody answers there is asked later.
    pub fn install() -> Result<Self, TelemetryError> {
        let endpoint = ENDPOINTS.into_iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        #[cfg(feature = "otlp")]
        {
            let exported = endpoint.map(otlp::Exported::start).transpose()?;
            tracing_subscriber::registry()
                .with(log())
                .with(logs::layer())
                .with(exported.as_ref().map(otlp::Exported::layer))
                .init();
            Ok(Self { exported })
        }
        #[cfg(not(feature = "otlp"))]
        {
            tracing_subscriber::registry().with(log()).with(logs::layer()).init();
            if let Some(variable) = endpoint {
                tracing::warn!(variable, "no span is exported: this program was built without the feature `otlp`");
            }
            Ok(Self {})
        }
    }

    /// Sends what was not sent yet, for at most five seconds.
    pub async fn stop(self) {
        #[cfg(feature = "otlp")]
        if let Some(exported) = self.exported {
            exported.stop().await;
        }
    }
}

fn log<S: tracing::Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    // The filter is stderr's alone: what jobs log is kept whatever it says.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt::layer().with_ansi(is_terminal).with_writer(std::io::stderr).with_filter(filter)
}

/// Has the spans of executions continue the traces of their requests.
pub(crate) fn continue_traces(builder: SchedulerBuilder) -> SchedulerBuilder {
    #[cfg(feature = "otlp")]
    let builder = builder.continue_traces(otlp::continue_trace);
    builder
}

/// The trace at the span that is entered, if it is exported.
pub(crate) fn current_trace() -> Option<TraceContext> {
    #[cfg(feature = "otlp")]
    return otlp::current_trace();
    #[cfg(not(feature = "otlp"))]
    None
}
