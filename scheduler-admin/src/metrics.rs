//! What the scheduler counts and times, in the text that Prometheus reads.

use std::{sync::OnceLock, thread, time::Duration};

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use scheduler_core::metrics::{ALL, Kind};

use crate::{error::ApiError, guard};

/// The content type of Prometheus's text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How often what was timed since is put into its buckets, whether somebody reads it or not.
const UPKEEP: Duration = Duration::from_secs(5);

/// The recorder of this process, once it is installed; `None` where there was another.
static INSTALLED: OnceLock<Option<Metrics>> = OnceLock::new();

/// The metrics of this process, for Prometheus.
///
/// Install it before the scheduler starts, so that what can fail is told of from zero on.
#[derive(Debug, Clone)]
pub struct Metrics {
    recorder: PrometheusHandle,
}

/// Another recorder of metrics is installed in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another recorder of metrics is installed in this process")]
pub struct MetricsError;

impl Metrics {
    /// Installs a recorder for all that the process counts, or answers the one that was installed here before.
    ///
    /// It has a thread of its own, which does little. A service with another recorder has `scheduler_core::metrics::ALL`
    /// to set that one's histograms by.
    ///
    /// # Errors
    /// When the process has another recorder.
    pub fn install() -> Result<Self, MetricsError> {
        INSTALLED.get_or_init(install).clone().ok_or(MetricsError)
    }

    /// `GET /metrics`, without authorization: the ids of jobs stand in it, but neither parameters nor results.
    pub fn router(&self) -> Router {
        let route = get(text).fallback(async || ApiError::method_not_allowed());
        guard::around(Router::new().route("/metrics", route).with_state(self.clone()))
    }

    /// What is counted by now, as text.
    #[must_use]
    pub fn render(&self) -> String {
        self.recorder.render()
    }
}

fn install() -> Option<Metrics> {
    let builder = ALL.iter().fold(PrometheusBuilder::new(), |builder, metric| match metric.kind {
        Kind::Histogram(bounds) => builder
            .set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)
            .expect("a histogram has bounds"),
        _ => builder,
    });
    let recorder = builder.install_recorder().ok()?;
    let kept = recorder.clone();
    // A thread, as a task would end with the runtime that it happened to be installed on.
    let upkeep = move || {
        loop {
            thread::sleep(UPKEEP);
            kept.run_upkeep();
        }
    };
    // Without one the next reader does its work.
    let _ = thread::Builder::new().name("metrics".to_owned()).spawn(upkeep);
    Some(Metrics { recorder })
}

async fn text(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, TEXT)], metrics.render())
}
