//! Medians, and ratios to this scheduler's.

use scheduler_benches::{Table, median};
use serde_json::Value;

use crate::{peer::Peer, scenario::Scenario};

/// A figure: its name in the measurements, its title, and whether it is a count over all rounds rather than a median.
type Figure = (&'static str, &'static str, bool);

const IDLE: &[Figure] = &[
    ("register_cpu_ms", "register, CPU ms", false),
    ("bytes_per_job", "bytes a job", false),
    ("idle_cpu_ms_per_30s", "idle CPU ms in 30 s", false),
    ("wakeups_per_second", "wake-ups a second", false),
];

const BURST: &[Figure] = &[
    ("late_ms_p50", "late p50 ms", false),
    ("late_ms_p99", "late p99 ms", false),
    ("late_ms_max", "late max ms", false),
    ("cpu_us_per_start", "CPU us a start", false),
    ("lost", "lost", true),
    ("doubled", "doubled", true),
    ("early", "early", true),
];

/// A row a peer; a median has its ratio to the first peer's behind it, a count is the sum over rounds.
pub(crate) fn table(scenario: Scenario, figures: &[(Peer, Vec<Value>)]) -> Table {
    let columns = match scenario {
        Scenario::Idle => IDLE,
        Scenario::Burst => BURST,
    };
    let mut header = vec!["peer"];
    header.extend(columns.iter().map(|(_, title, _)| *title));
    let mut table = Table::new(&header);
    for (peer, rounds) in figures {
        let cells = columns.iter().map(|(name, _, is_count)| {
            let Some(value) = settle(rounds, name, *is_count) else { return "nothing measured".to_owned() };
            let ours = figures.first().and_then(|(_, rounds)| settle(rounds, name, *is_count));
            match ours {
                Some(ours) if !is_count && ours > 0.0 => format!("{value:.2} ({:.1}x)", value / ours),
                _ => format!("{value:.2}").trim_end_matches(".00").to_owned(),
            }
        });
        table.row(std::iter::once(peer.name().to_owned()).chain(cells));
    }
    table
}

fn settle(rounds: &[Value], name: &str, is_count: bool) -> Option<f64> {
    let values: Vec<f64> = rounds.iter().filter_map(|round| round[name].as_f64()).collect();
    match (values.is_empty(), is_count) {
        (true, _) => None,
        (false, true) => Some(values.iter().sum()),
        (false, false) => Some(median(values)),
    }
}
