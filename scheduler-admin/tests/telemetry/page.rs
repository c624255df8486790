//! `docs/telemetry.md` tells each metric and label that is served, and no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use scheduler_core::{
    metrics::{ALL, Kind},
    occurrence::Origin,
    status::{Reason, Status},
};

use crate::scene::Scene;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/telemetry.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the table below a heading, without its head.
pub(crate) fn rows(heading: &str) -> Vec<Vec<String>> {
    let page = page();
    let (_, below) = page.split_once(&format!("{heading}\n")).unwrap_or_else(|| panic!("no heading `{heading}`"));
    let section = below.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.map(cells).collect()
}

/// The names in the first column.
pub(crate) fn first_cells(heading: &str) -> Vec<String> {
    rows(heading).into_iter().map(|row| row[0].trim_matches('`').to_owned()).collect()
}

#[test]
fn the_page_tells_each_metric_of_the_table_as_it_is() {
    let expected: Vec<Vec<String>> = ALL
        .iter()
        .map(|metric| {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                _ => "histogram",
            };
            let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            vec![format!("`{}`", metric.name), kind.to_owned(), labels.join(", "), metric.help.to_owned()]
        })
        .collect();
    assert_eq!(rows("## Metrics"), expected);
}

#[tokio::test]
async fn what_is_served_is_in_the_table_with_its_labels_and_nothing_is_left_out() {
    let scene = Scene::get().await;
    let mut served: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for sample in &scene.samples {
        let labels = sample.labels.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "le");
        served.entry(sample.metric()).or_default().extend(labels);
    }
    let table = ALL.iter().map(|metric| (metric.name, metric.labels.iter().copied().collect())).collect();
    assert_eq!(served, table);
}

#[tokio::test]
async fn the_page_tells_each_label_and_every_value_is_one_of_its_words() {
    let scene = Scene::get().await;
    let told: BTreeMap<String, String> =
        rows("## Labels").into_iter().map(|row| (row[0].trim_matches('`').to_owned(), row[1].clone())).collect();
    let names: BTreeSet<&str> = ALL.iter().flat_map(|metric| metric.labels).copied().collect();
    assert_eq!(told.keys().map(String::as_str).collect::<BTreeSet<_>>(), names);
    for sample in &scene.samples {
        for (name, value) in sample.labels.iter().filter(|(name, _)| name != "le") {
            // These are the service's own words.
            let is_open = ["job_id", "version", "service_version"].contains(&name.as_str());
            let is_told = value.is_empty() || told[name].contains(&format!("`{value}`"));
            assert!(is_open || is_told, "{name} = `{value}` is not told");
        }
    }
    let all = |words: &[&str], label: &str| words.iter().all(|word| told[label].contains(&format!("`{word}`")));
    let final_words: Vec<_> = Status::ALL.iter().filter(|status| status.is_final()).map(|it| it.as_str()).collect();
    assert!(all(&final_words, "status"));
    assert!(all(&Reason::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>(), "reason"));
    assert!(all(&Origin::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>(), "origin"));
}
