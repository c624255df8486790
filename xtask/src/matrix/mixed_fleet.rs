//! The version before this one and this one side by side on the same servers, as in a rolling deploy, under kills and restarts.
//!
//! In both orders: the old one makes the tables, and this one migrates them under it; or this one makes them, and the old one
//! starts on tables that are newer than itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use rustix::process::Signal;

use super::{MixedFleet, previous, previous::Checkout};
use crate::{
    cargo::{cargo, status},
    failure::{Context, Failure, Result},
    services::{Given, Services, wait_until},
    soak::{
        Chance, Place, QUIET, judge,
        node::{Node, now_seconds, uptime},
        urls,
    },
};

/// How many processes each version has.
const OF_EACH: usize = 2;

/// How long the first version is alone.
const ALONE: Duration = Duration::from_secs(5);

/// The longest time from one fault to the next, in milliseconds; the mean is half of it.
const LONGEST_GAP_MS: u64 = 2_400;

/// How long a process may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A version, and its process.
#[derive(Debug)]
struct Version {
    name: String,
    program: PathBuf,
}

pub(super) fn run(root: &Path, fleet: &MixedFleet) -> Result<ExitCode> {
    let directory = root.join("target/mixed-fleet");
    let tag = match &fleet.previous {
        Some(tag) => tag.clone(),
        None => previous::tag(root)?,
    };
    let (versions, checker) = build(root, &directory, tag)?;
    let mut reports = String::new();
    let mut is_clean = true;
    for order in [[0, 1], [1, 0]] {
        let [first, second] = order.map(|place| &versions[place]);
        eprintln!("{} first, then {}, for {} s", first.name, second.name, fleet.duration.as_secs());
        let place = directory.join(format!("{}-first", first.name));
        let (report, is_whole) = side_by_side(root, fleet, &place, &checker, [first, second])?;
        println!("{report}");
        reports.push_str(&report);
        reports.push('\n');
        is_clean &= is_whole;
    }
    let file = directory.join("report.txt");
    fs::write(&file, &reports).context(|| format!("writing {}", file.display()))?;
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds both, and copies them: who builds meanwhile changes no process of this run.
fn build(root: &Path, directory: &Path, tag: String) -> Result<([Version; 2], PathBuf)> {
    if directory.exists() {
        fs::remove_dir_all(directory).context(|| format!("removing {}", directory.display()))?;
    }
    fs::create_dir_all(directory).context(|| format!("making {}", directory.display()))?;
    let copied = |built: &str, name: String| {
        let (from, to) = (root.join("target/debug").join(built), directory.join(name));
        fs::copy(&from, &to).context(|| format!("copying {}", from.display()))?;
        Ok::<_, Failure>(to)
    };
    let checkout = Checkout::of(root, &tag)?;
    checkout.build()?;
    let old = Version { program: copied("chaos-node", format!("chaos-node-{tag}"))?, name: tag };
    drop(checkout);
    let mut build = cargo(root);
    build.args(["build", "--package", "scheduler-tests", "--bin", "chaos-node", "--bin", "check-ledger"]);
    if !status(&mut build)?.success() {
        return Err(Failure::new("this version does not build"));
    }
    let new = Version { program: copied("chaos-node", "chaos-node".to_owned())?, name: "this".to_owned() };
    Ok(([old, new], copied("check-ledger", "check-ledger".to_owned())?))
}

/// One order, on servers of its own.
fn side_by_side(
    root: &Path,
    fleet: &MixedFleet,
    directory: &Path,
    checker: &Path,
    versions: [&Version; 2],
) -> Result<(String, bool)> {
    fs::create_dir_all(directory).context(|| format!("making {}", directory.display()))?;
    let services = Services::new(root, directory.join("services"), Given::default());
    let place = |version: &Version, urls: &[String; 2]| Place {
        directory: directory.to_path_buf(),
        program: version.program.clone(),
        checker: checker.to_path_buf(),
        urls: urls.clone(),
    };
    let urls = urls(&services.up()?)?;
    let places = versions.map(|version| place(version, &urls));
    // This version judges, whichever starts first.
    let judging = places.iter().find(|place| place.program.ends_with("chaos-node")).expect("one of the two").clone();
    let outcome = disturb(fleet, versions, &places, &judging);
    services.down()?;
    outcome
}

fn disturb(
    fleet: &MixedFleet,
    versions: [&Version; 2],
    places: &[Place; 2],
    judging: &Place,
) -> Result<(String, bool)> {
    let mut nodes = Vec::new();
    let mut from = 0;
    for (nth, place) in places.iter().enumerate() {
        for number in nth * OF_EACH..(nth + 1) * OF_EACH {
            let mut node = Node::new(place.clone(), number)?;
            node.set_clock(0)?;
            node.start()?;
            nodes.push(node);
        }
        if !wait_until(PATIENCE, || nodes.iter().all(Node::has_started)) {
            return Err(Failure::new(format!(
                "{} did not start: see {}",
                versions[nth].name,
                place.directory.display()
            )));
        }
        if nth == 0 {
            from = now_seconds() + 3;
            std::thread::sleep(ALONE);
        }
    }
    let mut faults = Faults::new(fleet.seed, nodes);
    let end = uptime() + fleet.duration;
    while uptime() < end {
        faults.next()?;
    }
    let (nodes, kills, restarts, ends) = faults.mend()?;
    std::thread::sleep(QUIET);
    let to = now_seconds() - 5;
    stop(nodes)?;
    let (judged, is_clean) = judge(judging, from, to)?;
    let starts = [0, 1].map(|nth| starts(&judging.directory, nth * OF_EACH..(nth + 1) * OF_EACH));
    let mut report = format!(
        "order {} {}\nseed {}\nprocesses {}\nseconds {}\nkills {kills}\nrestarts {restarts}\nunexpected_ends {ends}\n",
        versions[0].name,
        versions[1].name,
        fleet.seed,
        2 * OF_EACH,
        fleet.duration.as_secs(),
    );
    for (version, starts) in versions.iter().zip(&starts) {
        report.push_str(&format!("bodies_started.{} {starts}\n", version.name));
    }
    report.push_str(&judged);
    // A fleet in which one of the two has done nothing shows nothing.
    let has_both = starts.iter().all(|starts| *starts > 0);
    Ok((report, is_clean && has_both && ends == 0))
}

/// How many bodies the processes with these numbers have started, by what bodies wrote into their file.
fn starts(directory: &Path, numbers: std::ops::Range<usize>) -> usize {
    let own = |name: &str| numbers.clone().any(|number| name.starts_with(&format!("node-{number}-")));
    let logs = fs::read_dir(directory).into_iter().flatten().flatten();
    let logs = logs.filter(|entry| own(&entry.file_name().to_string_lossy()));
    let instances: Vec<String> = logs
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        .filter_map(|log| log.lines().find_map(|line| line.strip_prefix("started ")).map(str::to_owned))
        .collect();
    let effects = fs::read_to_string(directory.join("effects.jsonl")).unwrap_or_default();
    let is_start = |line: &&str| line.contains("\"what\":\"Start\"");
    effects.lines().filter(is_start).filter(|line| instances.iter().any(|instance| line.contains(instance))).count()
}

/// Stops every process calmly.
fn stop(mut nodes: Vec<Node>) -> Result<()> {
    for node in &nodes {
        node.signal(Signal::TERM);
    }
    if wait_until(PATIENCE, || nodes.iter_mut().all(Node::has_ended)) {
        return Ok(());
    }
    for node in &mut nodes {
        node.kill()?;
    }
    Err(Failure::new("a process did not stop within a minute of being asked"))
}

/// Kills and restarts, from a seed.
#[derive(Debug)]
struct Faults {
    chance: Chance,
    nodes: Vec<Node>,
    /// When a process that was ended comes back.
    back: Vec<Option<Duration>>,
    kills: u32,
    restarts: u32,
    unexpected_ends: u32,
}

impl Faults {
    fn new(seed: u64, nodes: Vec<Node>) -> Self {
        let back = vec![None; nodes.len()];
        Self { chance: Chance::new(seed), nodes, back, kills: 0, restarts: 0, unexpected_ends: 0 }
    }

    /// Waits for some time, and lets something go wrong.
    fn next(&mut self) -> Result<()> {
        let gap = Duration::from_millis(self.chance.below(LONGEST_GAP_MS));
        self.pass(gap)?;
        let number = usize::try_from(self.chance.below(self.nodes.len() as u64)).expect("a few nodes");
        let away = Duration::from_millis(self.chance.between(200, 4_000));
        let is_restart = self.chance.below(10) < 3;
        if !self.nodes[number].runs() || self.back[number].is_some() {
            return Ok(());
        }
        if is_restart {
            self.restarts += 1;
            self.nodes[number].signal(Signal::TERM);
            self.back[number] = Some(uptime());
        } else {
            self.kills += 1;
            self.nodes[number].kill()?;
            self.back[number] = Some(uptime() + away);
        }
        Ok(())
    }

    /// Lets time go by, while who was ended comes back.
    fn pass(&mut self, time: Duration) -> Result<()> {
        const STEP: Duration = Duration::from_millis(50);
        let end = uptime() + time;
        loop {
            for (node, back) in self.nodes.iter_mut().zip(&mut self.back) {
                let is_gone = !node.runs() || node.has_ended();
                match *back {
                    Some(at) if is_gone && at <= uptime() => {
                        // Asked to, or killed: a restart's end is no kill.
                        node.forget();
                        node.start()?;
                        *back = None;
                    }
                    None if is_gone => {
                        self.unexpected_ends += 1;
                        node.note_end()?;
                        *back = Some(uptime());
                    }
                    _ => {}
                }
            }
            let Some(left) = end.checked_sub(uptime()).filter(|left| !left.is_zero()) else { return Ok(()) };
            std::thread::sleep(left.min(STEP));
        }
    }

    /// Brings everyone back.
    fn mend(mut self) -> Result<(Vec<Node>, u32, u32, u32)> {
        let end = uptime() + PATIENCE;
        while self.back.iter().any(Option::is_some) || !self.nodes.iter().all(Node::has_started) {
            if uptime() > end {
                return Err(Failure::new("a process did not come back within a minute"));
            }
            self.pass(Duration::from_millis(100))?;
        }
        Ok((self.nodes, self.kills, self.restarts, self.unexpected_ends))
    }
}
