//! A collector that is away is told of once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use tracing::{info, warn};

/// An exporter that says when the collector goes away, and when it is back.
#[derive(Debug)]
pub(super) struct ToldOutages<E> {
    exporter: E,
    is_away: AtomicBool,
}

impl<E> ToldOutages<E> {
    pub(super) const fn new(exporter: E) -> Self {
        Self { exporter, is_away: AtomicBool::new(false) }
    }
}

impl<E: SpanExporter> SpanExporter for ToldOutages<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exported = self.exporter.export(batch).await;
        let was_away = self.is_away.swap(exported.is_err(), Ordering::Relaxed);
        match &exported {
            Err(error) if !was_away => {
                warn!(%error, "the collector of spans does not answer: they are lost until it does, and all else goes on");
            }
            Ok(()) if was_away => info!("the collector of spans answers again"),
            _ => {}
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
