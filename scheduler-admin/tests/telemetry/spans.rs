//! The span of an execution.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::{page, scene::Scene};

/// A span's fields by name; `None` for what was not recorded.
pub(crate) type Fields = BTreeMap<&'static str, Option<String>>;

/// Keeps the fields of `job` spans.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Fields>>>);

impl Seen {
    pub(crate) fn spans(&self) -> Vec<Fields> {
        self.0.lock().expect("no test panics with it").clone()
    }
}

struct Values<'a>(&'a mut Fields);

impl Visit for Values<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), Some(format!("{value:?}").trim_matches('"').to_owned()));
    }
}

impl Subscriber for Seen {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name() == "job"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields: Fields = span.metadata().fields().iter().map(|field| (field.name(), None)).collect();
        span.record(&mut Values(&mut fields));
        let mut spans = self.0.lock().expect("no test panics with it");
        spans.push(fields);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut spans = self.0.lock().expect("no test panics with it");
        values.record(&mut Values(&mut spans[span.into_u64() as usize - 1]));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn each_execution_has_one_span_with_its_outcome() {
    let scene = Scene::get().await;
    let started = scene.rows.iter().filter(|row| row.started_at.is_some());
    assert_eq!(scene.spans.len(), started.clone().count());
    for row in started {
        let (id, job) = (row.id.to_string(), row.job_id.to_string());
        // The two schedulers have stores of their own, which count alike.
        let mut of_row = scene.spans.iter().filter(|span| {
            span["scheduler.execution.id"].as_ref() == Some(&id) && span["scheduler.job.id"].as_ref() == Some(&job)
        });
        let span = of_row.next().unwrap_or_else(|| panic!("no span for {row:?}"));
        assert_eq!(of_row.next(), None);
        let said = |name: &str| span[name].as_deref();
        assert_eq!(said("scheduler.job.id"), Some(row.job_id.as_str()));
        assert_eq!(said("scheduler.occurrence"), Some(row.occurrence.as_str()));
        assert_eq!(said("scheduler.attempt"), Some(row.attempt.to_string().as_str()));
        assert_eq!(said("scheduler.origin"), Some(row.origin.as_str()));
        assert_eq!(said("scheduler.status"), Some(row.status.as_str()));
        assert_eq!(said("scheduler.reason"), row.reason.map(|reason| reason.as_str()));
        assert_eq!(said("otel.name"), Some(format!("job {}", row.job_id).as_str()));
        let is_good = row.status.as_str() == "succeeded";
        assert_eq!(said("otel.status_code"), Some(if is_good { "OK" } else { "ERROR" }));
        assert_eq!(said("error.type").is_none(), is_good);
    }
}

#[tokio::test]
async fn the_page_tells_each_field_of_the_span_and_no_other() {
    let scene = Scene::get().await;
    let served: Vec<String> = scene.spans[0].keys().map(|name| (*name).to_owned()).collect();
    let mut told = page::first_cells("## Spans");
    told.sort();
    assert_eq!(told, served);
}
