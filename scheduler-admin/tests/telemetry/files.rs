//! The alert rules and the dashboard of the example ask for what is served.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use scheduler_core::metrics::ALL;
use serde_json::Value;

use crate::sample::metric_of;

pub(crate) const ALERTS: &str = "prometheus/alerts.yml";
const DASHBOARD: &str = "grafana/dashboard.json";

pub(crate) fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hris").join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The scheduler's metrics that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("scheduler_")).map(metric_of).collect()
}

fn served() -> BTreeSet<&'static str> {
    ALL.iter().map(|metric| metric.name).collect()
}

/// The dashboard's queries, and those of its variables.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(query) if name == "expr" || name == "query" => found.push(query.clone()),
                    value => queries(value, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn each_metric_of_an_alert_is_served() {
    let text = read(ALERTS);
    let named = named(&text);
    assert_eq!(named.difference(&served()).collect::<Vec<_>>(), Vec::<&&str>::new());
    for metric in ["scheduler_occurrences_total", "scheduler_backend_up", "scheduler_lease_losses_total"] {
        assert!(named.contains(metric), "{metric}");
    }
}

#[test]
fn each_query_of_the_dashboard_is_of_what_is_served() {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).expect("JSON");
    let mut found = Vec::new();
    queries(&dashboard, &mut found);
    let targets: Vec<&String> = found.iter().filter(|query| query.as_str() != "prometheus").collect();
    assert!(targets.len() >= 15, "{}", targets.len());
    let mut all = BTreeSet::new();
    for query in targets {
        let named = named(query);
        assert!(!named.is_empty(), "`{query}` names nothing of the scheduler");
        assert_eq!(named.difference(&served()).collect::<Vec<_>>(), Vec::<&&str>::new(), "{query}");
        all.extend(named.into_iter().map(str::to_owned));
    }
    let missing: Vec<_> = served().into_iter().filter(|metric| !all.contains(*metric)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "the dashboard shows every metric");
}
