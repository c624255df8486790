//! What `#[scheduled_job]` costs the compiler: a crate of annotated functions beside the same functions unannotated.
//!
//! Both crates are written under `target/bench-compile`, with dependencies that are built before. Then both are checked in
//! pairs, whole each time; the ratio of each pair is taken, and the median of the ratios told.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use crate::{
    cargo::cargo,
    failure::{Context, Failure, Result},
};

/// How many functions each crate has.
const FUNCTIONS: usize = 50;

/// How many pairs are measured: odd, so that one of them is in the middle.
const PAIRS: usize = 15;

/// The goal for the ratio of wall times.
const GOAL: f64 = 1.3;

/// Measures, and prints the ratios.
pub(super) fn run(root: &Path) -> Result<()> {
    let crates = Crates::write(root)?;
    eprintln!("building the dependencies");
    for member in MEMBERS {
        crates.check(member)?;
    }
    let mut pairs = Vec::new();
    for pair in 0..PAIRS {
        // Each goes first as often as the other: what the machine does beside meets both.
        let order = if pair % 2 == 0 { [0, 1] } else { [1, 0] };
        let mut costs = [Cost::default(); 2];
        for member in order {
            costs[member] = crates.check(MEMBERS[member])?;
        }
        pairs.push(costs);
    }
    println!("a crate of {FUNCTIONS} functions, `cargo check` from warm dependencies, medians of {PAIRS} pairs\n");
    println!("| {:4} | annotated | plain   | ratio |", "");
    println!("| ---- | --------- | ------- | ----- |");
    for (name, time) in [("wall", (|cost| cost.wall) as fn(&Cost) -> Duration), ("CPU", |cost| cost.cpu)] {
        let [annotated, plain] =
            [0, 1].map(|member| median(pairs.iter().map(|pair| time(&pair[member]).as_secs_f64())));
        let ratio =
            median(pairs.iter().map(|[annotated, plain]| time(annotated).as_secs_f64() / time(plain).as_secs_f64()));
        println!("| {name:4} | {annotated:7.3} s | {plain:5.3} s | {ratio:5.2} |");
    }
    println!("\nThe goal is a ratio of {GOAL} of the wall times.");
    Ok(())
}

const MEMBERS: [&str; 2] = ["annotated", "plain"];

/// The two crates, as a workspace of their own.
struct Crates {
    directory: PathBuf,
    root: PathBuf,
}

/// What one check took.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    wall: Duration,
    /// Of cargo and the compilers that it ran.
    cpu: Duration,
}

impl Crates {
    fn write(root: &Path) -> Result<Self> {
        let directory = root.join("target/bench-compile/crates");
        let crates = Self { directory, root: root.to_path_buf() };
        crates.put("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"annotated\", \"plain\"]\n")?;
        // The same versions as the repository's, and none that must be asked for.
        let lock = fs::read_to_string(root.join("Cargo.lock")).context(|| "reading Cargo.lock".to_owned())?;
        crates.put("Cargo.lock", &lock)?;
        for member in MEMBERS {
            crates.put(&format!("{member}/Cargo.toml"), &manifest(member, root))?;
            crates.put(&format!("{member}/src/lib.rs"), &source(member == "annotated"))?;
        }
        Ok(crates)
    }

    fn put(&self, path: &str, text: &str) -> Result<()> {
        let path = self.directory.join(path);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        written.context(|| format!("writing {}", path.display()))
    }

    /// Checks one of the crates, all of it.
    fn check(&self, member: &str) -> Result<Cost> {
        self.put(&format!("{member}/src/lib.rs"), &source(member == "annotated"))?;
        let mut command = cargo(&self.root);
        command.args(["check", "--quiet", "--offline", "--package", member]);
        command.arg("--manifest-path").arg(self.directory.join("Cargo.toml"));
        command.arg("--target-dir").arg(self.directory.with_file_name("build"));
        // What an earlier check left would spare the next one its work.
        command.env("CARGO_INCREMENTAL", "0").stdin(Stdio::null());
        let before = cpu_of_children()?;
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time, and schedules nothing by it")]
        let started = std::time::Instant::now();
        let status = command.status().context(|| format!("checking `{member}`"))?;
        let cost = Cost { wall: started.elapsed(), cpu: cpu_of_children()?.saturating_sub(before) };
        if status.success() { Ok(cost) } else { Err(Failure::new(format!("`{member}` does not compile"))) }
    }
}

/// The processor time of the processes that this one has waited for, and of theirs.
fn cpu_of_children() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context(|| "reading Linux's /proc/self/stat".to_owned())?;
    // The program's name, in parentheses, may hold spaces; `cutime` and `cstime` are the 14th and 15th words after it.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks =
        after_name.split_ascii_whitespace().skip(13).take(2).filter_map(|word| word.parse::<u64>().ok()).sum::<u64>();
    Ok(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second()))
}

fn manifest(member: &str, root: &Path) -> String {
    format!(
        "[package]\nname = \"{member}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nscheduler = {{ path = {:?} }}\n",
        root.display().to_string()
    )
}

/// A crate of functions as services have them: each takes a few arguments, calls the service, and says what it did.
fn source(annotated: bool) -> String {
    const EXPRESSIONS: [&str; 5] = ["30 0 * * *", "*/15 * * * *", "0 8 * * MON-FRI", "0 2 1 * *", "15 9-17 * * *"];
    const ZONES: [&str; 3] = ["Asia/Jakarta", "Europe/Berlin", "America/New_York"];
    const ARGUMENTS: [&str; 4] = ["", "at: ScheduledAt, ", "context: JobContext, ", "Attempt(attempt): Attempt, "];
    const TOLD: [&str; 4] = ["\"-\"", "at.date_naive()", "context.job_id()", "attempt"];
    let mut text = "//! Functions of a service.\n\nuse scheduler::prelude::*;\n\n".to_owned();
    text += "/// What the functions work on.\n#[derive(Debug, Clone)]\npub struct Service;\n\n";
    text += "impl Service {\n    /// Works.\n    pub async fn work(&self, rows: usize) -> Result<usize, std::io::Error> {\n";
    text += "        std::future::ready(()).await;\n        Ok(rows)\n    }\n}\n";
    for number in 0..FUNCTIONS {
        let (arguments, told) = (ARGUMENTS[number % ARGUMENTS.len()], TOLD[number % TOLD.len()]);
        let attribute = format!(
            "#[scheduled_job(cron = {:?}, tz = {:?}, retries = {}, timeout = \"8m\")]\n",
            EXPRESSIONS[number % EXPRESSIONS.len()],
            ZONES[number % ZONES.len()],
            number % 5,
        );
        write!(
            text,
            "\n/// Does what function {number} of the service does.\n{}\
             pub async fn function_{number}({arguments}State(service): State<Service>) -> JobResult {{\n    \
             let mut done = 0;\n    \
             for rows in 0..{number} {{\n        done += service.work(rows).await?;\n    }}\n    \
             Ok(Outcome::succeeded(format!(\"did {{done}} for {{}}\", {told})))\n}}\n",
            if annotated { &attribute } else { "" },
        )
        .expect("a string takes all");
    }
    text
}

/// The value in the middle.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_differ_in_their_attributes_alone() {
        let lines = |annotated| source(annotated).lines().map(str::to_owned).collect::<Vec<_>>();
        let (with, without) = (lines(true), lines(false));
        let (attributes, rest): (Vec<_>, Vec<_>) =
            with.into_iter().partition(|line| line.starts_with("#[scheduled_job"));
        assert_eq!(attributes.len(), FUNCTIONS);
        assert_eq!(rest, without);
    }

    #[test]
    fn the_median_is_the_value_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
    }
}
