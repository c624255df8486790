//! `cargo xtask soak`: several processes under faults, with real servers, then the judge.
//!
//! Faults come from a seed, in order; how long each process takes to meet one is the machine's. The servers are private to
//! the run, since they are killed in it.

mod chance;
mod fault;
pub(crate) mod node;
mod proxy;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

pub(crate) use chance::Chance;
use fault::{Fault, Theatre};

use crate::{
    cargo::{cargo, status},
    failure::{Context, Failure, Result},
    services::{Given, Services, Up},
};

/// The lease of the nodes' jobs, which the waits of faults are measured by.
const LEASE: Duration = Duration::from_secs(3);

/// How long after the last fault everything has to be in order: two leases, and the looks that follow.
pub(crate) const QUIET: Duration = Duration::from_secs(2 * LEASE.as_secs() + 6);

/// The longest time from one fault to the next, in milliseconds; the mean is half of it.
const LONGEST_GAP_MS: u64 = 1_800;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Soak {
    pub(crate) duration: Duration,
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
}

impl Soak {
    pub(crate) const DEFAULT: Self = Self { duration: Duration::from_secs(60), seed: 1, nodes: 3 };
}

pub(crate) fn run(root: &Path, soak: Soak) -> Result<ExitCode> {
    let mut build = cargo(root);
    // As the tests build it, so that after them there is nothing to build.
    build.args(["build", "--workspace", "--exclude", "scheduler-benches", "--bins", "--examples", "--tests"]);
    build.arg("--all-features");
    if !status(&mut build)?.success() {
        return Ok(ExitCode::FAILURE);
    }
    let directory = root.join("target/soak");
    let services = Services::new(root, directory.join("services"), Given::default());
    services.down()?;
    if directory.exists() {
        fs::remove_dir_all(&directory).context(|| format!("removing {}", directory.display()))?;
    }
    fs::create_dir_all(&directory).context(|| format!("making {}", directory.display()))?;
    let up = services.up()?;
    // A copy: who builds meanwhile changes no process of this run.
    let [program, checker] = ["chaos-node", "check-ledger"].map(|name| directory.join(name));
    for copy in [&program, &checker] {
        let built = root.join("target/debug").join(copy.file_name().expect("it was joined above"));
        fs::copy(&built, copy).context(|| format!("copying {}", built.display()))?;
    }
    let place = Place { directory: directory.clone(), program, checker, urls: urls(&up)? };
    let outcome = disturb(&soak, &services, &place);
    services.down()?;
    let (report, passed) = outcome?;
    println!("{report}");
    let file = directory.join("report.txt");
    fs::write(&file, &report).context(|| format!("writing {}", file.display()))?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where the run takes place.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
    pub(crate) program: PathBuf,
    /// Holds the history against what was promised.
    pub(crate) checker: PathBuf,
    /// PostgreSQL's and Redis's.
    pub(crate) urls: [String; 2],
}

impl Place {
    /// The program, with what it needs to know of these servers.
    fn command(&self, urls: &[String; 2]) -> Command {
        let mut command = Command::new(&self.program);
        command.env("DATABASE_URL", &urls[0]).env("REDIS_URL", &urls[1]);
        command.env("CHAOS_EFFECTS", self.directory.join("effects.jsonl")).env("CHAOS_KILLED", self.killed());
        command
    }

    /// Which instances were killed, and when.
    fn killed(&self) -> PathBuf {
        self.directory.join("killed")
    }
}

pub(crate) fn urls(up: &Up) -> Result<[String; 2]> {
    let find = |name: &str| {
        let url = up.variables().find(|(known, _)| *known == name).map(|(_, url)| url.to_owned());
        url.ok_or_else(|| Failure::new(format!("no {name} from the private servers")))
    };
    Ok([find("DATABASE_URL")?, find("REDIS_URL")?])
}

/// The run itself: faults, quiet, a calm stop, and the judge's report.
fn disturb(soak: &Soak, services: &Services, place: &Place) -> Result<(String, bool)> {
    let mut chance = Chance::new(soak.seed);
    let mut theatre = Theatre::open(services, place.clone(), soak.nodes)?;
    let from = theatre.wait_for_all()? + 3;
    let begun = node::uptime();
    let mut counts: BTreeMap<&'static str, u32> = BTreeMap::new();
    while node::uptime() - begun < soak.duration {
        theatre.pass(Duration::from_millis(chance.below(LONGEST_GAP_MS)))?;
        let fault = Fault::draw(&mut chance, soak.nodes);
        *counts.entry(fault.name()).or_default() += 1;
        theatre.meet(fault, &mut chance)?;
    }
    theatre.mend()?;
    theatre.pass(QUIET)?;
    let to = node::now_seconds() - 5;
    theatre.stop_all()?;
    let (judged, passed) = judge(place, from, to)?;
    let mut report = format!(
        "seed {}\nprocesses {}\nseconds {}\nfaults {}\n",
        soak.seed,
        soak.nodes,
        (node::uptime() - begun).as_secs(),
        counts.values().sum::<u32>()
    );
    for (name, count) in counts {
        report.push_str(&format!("faults.{name} {count}\n"));
    }
    report.push_str(&format!("unexpected_ends {}\n", theatre.unexpected_ends()));
    report.push_str(&judged);
    Ok((report, passed))
}

/// What bodies did and what the history says, held against what was due in these seconds; the processes have stopped.
pub(crate) fn judge(place: &Place, from: i64, to: i64) -> Result<(String, bool)> {
    let judged = place
        .command(&place.urls)
        .args(["judge", &from.to_string(), &to.to_string()])
        .output()
        .context(|| "running the judge".to_owned())?;
    let checked = Command::new(&place.checker)
        .args(["--database-url", &place.urls[0]])
        .output()
        .context(|| "checking the ledger".to_owned())?;
    let mut report = String::new();
    report.push_str(&String::from_utf8_lossy(&judged.stdout));
    report.push_str(&String::from_utf8_lossy(&judged.stderr));
    report.push_str("ledger:\n");
    report.push_str(&String::from_utf8_lossy(&checked.stdout));
    report.push_str(&String::from_utf8_lossy(&checked.stderr));
    Ok((report, judged.status.success() && checked.status.success()))
}
