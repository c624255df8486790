//! From due to running, in one process: this scheduler on its memory store beside tokio-cron-scheduler and apalis-cron.
//!
//! `cargo bench -p scheduler-benches --bench dispatch [-- --rounds 3 --idle-seconds 10 --sizes 1000,10000]`. Each figure is the
//! median over rounds, each round of each peer a process of its own, one at a time. Lateness is the wall clock at the
//! start of a body minus its instant; early is a start before it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

mod peer;
mod report;
mod scenario;

use std::process::{Command, ExitCode};

use peer::Peer;
use scenario::Scenario;
use serde_json::Value;

/// What the driver was asked for.
#[derive(Debug)]
struct Options {
    rounds: usize,
    idle_seconds: u64,
    sizes: Vec<usize>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "child") {
        let measured = scenario::run_child(&arguments[1..]);
        println!("{measured}");
        // The peers leave tasks behind; nothing of them is waited for.
        std::process::exit(0);
    }
    match parse(&arguments) {
        Ok(options) => {
            drive(&options);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}\nusage: dispatch [--rounds N] [--idle-seconds N] [--sizes N,N]");
            ExitCode::from(2)
        }
    }
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options { rounds: 3, idle_seconds: 10, sizes: vec![1_000, 10_000] };
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        let number = |text: &str| text.parse::<u64>().map_err(|error| format!("`{name} {text}`: {error}"));
        match name.as_str() {
            "--rounds" => options.rounds = usize::try_from(number(value)?.max(1)).map_err(|error| error.to_string())?,
            "--idle-seconds" => options.idle_seconds = number(value)?.max(1),
            "--sizes" => {
                let sizes =
                    value.split(',').map(|size| number(size).map(|size| usize::try_from(size).unwrap_or(usize::MAX)));
                options.sizes = sizes.collect::<Result<_, _>>()?;
            }
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    Ok(options)
}

fn drive(options: &Options) {
    for scenario in Scenario::ALL {
        for jobs in &options.sizes {
            let mut figures = Vec::new();
            for peer in Peer::ALL {
                let rounds: Vec<Value> =
                    (0..options.rounds).filter_map(|_| measure(peer, scenario, *jobs, options)).collect();
                figures.push((peer, rounds));
            }
            println!(
                "\n## {}, {jobs} jobs, {} rounds\n\n{}",
                scenario.title(),
                options.rounds,
                report::table(scenario, &figures)
            );
        }
    }
}

/// One round in a process of its own.
fn measure(peer: Peer, scenario: Scenario, jobs: usize, options: &Options) -> Option<Value> {
    let program = std::env::current_exe().expect("the benchmark's own path");
    let output = Command::new(program)
        .args(["child", peer.name(), scenario.name(), &jobs.to_string(), &options.idle_seconds.to_string()])
        .output()
        .expect("the benchmark can start itself");
    let measured = serde_json::from_slice(&output.stdout).ok();
    if measured.is_none() {
        eprintln!("{} gave nothing for {}: {}", peer.name(), scenario.name(), String::from_utf8_lossy(&output.stderr));
    }
    measured
}
