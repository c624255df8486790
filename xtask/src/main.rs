//! The project's own commands: tests, benchmarks, and the servers both need.
//!
//! `cargo xtask help` lists them. The servers are private to the clone: ports, passwords and state are its own, so two
//! clones on one machine never meet.
#![expect(clippy::print_stdout, reason = "a command's answer goes to stdout; notes go to stderr")]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

mod bench;
mod browser;
mod cargo;
mod check_ledger;
mod command;
mod failure;
mod matrix;
mod schemathesis;
mod services;
mod simulate;
mod soak;
mod test;

use command::{Command, ServicesCommand, USAGE};
use failure::Result;
use services::{Given, Services};

fn main() -> ExitCode {
    match Command::parse(std::env::args().skip(1)).and_then(run) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let root = root();
    let services = Services::new(&root, root.join(".services"), Given::from_env());
    match command {
        Command::Help => println!("{USAGE}"),
        Command::Services(ServicesCommand::Up) => print!("{}", services.up()?.exports()),
        Command::Services(ServicesCommand::Down) => services.down()?,
        Command::Services(ServicesCommand::Status) => {
            let status = services.status()?;
            println!("{status}");
            return Ok(if status.all_answer() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Test(args) => return test::run(&root, &services, &args),
        Command::Soak(soak) => return soak::run(&root, soak),
        Command::Matrix(job) => return matrix::run(&root, &job),
        Command::CheckLedger(args) => return check_ledger::run(&root, &args),
        Command::Simulate(seeds) => return simulate::run(&root, seeds),
        Command::Bench { names, passed_on } => return bench::run(&root, &services, &names, &passed_on),
    }
    Ok(ExitCode::SUCCESS)
}

/// The repository.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().expect("xtask lies in the repository").to_path_buf()
}
