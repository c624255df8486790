//! Where it was measured.

use std::{fs, process::Command};

use scheduler::clock::{Clock as _, SystemClock};
use scheduler_benches::Table;

use crate::server::Server;

/// The machine, the versions, and the day.
pub(crate) async fn table(server: &Server) -> Table {
    let mut table = Table::new(&["what", "value"]);
    let rows = [
        ("date", SystemClock.now().date_naive().to_string()),
        ("CPU", format!("{} cores, {}", cores(), field("/proc/cpuinfo", "model name"))),
        ("memory", memory()),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("load before", read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")),
        ("PostgreSQL", server.version().await),
        ("its settings", server.settings().await),
        ("Redis", program("redis-server", "v=")),
        ("rustc", program("rustc", "rustc ")),
    ];
    for (what, value) in rows {
        table.row([what.to_owned(), value]);
    }
    table
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn memory() -> String {
    let kibibytes: f64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(f64::NAN);
    format!("{:.0} GiB", kibibytes / 1_048_576.0)
}

fn read(file: &str) -> String {
    fs::read_to_string(file).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// What follows a name on its line.
fn field(file: &str, name: &str) -> String {
    let text = read(file);
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':')).map(|(_, value)| value.trim());
    value.unwrap_or("unknown").to_owned()
}

/// The word of `--version` that follows a mark, of a program on this machine.
fn program(name: &str, mark: &str) -> String {
    let output = Command::new(name).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&output).into_owned();
    let version = text.split_once(mark).and_then(|(_, rest)| rest.split_whitespace().next());
    version.unwrap_or("unknown").to_owned()
}
