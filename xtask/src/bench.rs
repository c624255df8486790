//! `cargo xtask bench`: the benchmarks, with real servers, in release; and what the attribute costs the compiler.

use std::{path::Path, process::ExitCode};

use crate::{
    cargo::{cargo, status},
    failure::Result,
    services::Services,
};

mod compile;
mod queues;

/// The one benchmark that is no program of its own, since it measures cargo.
const COMPILE: &str = "compile";

/// Runs the benchmarks named, or all.
pub(crate) fn run(root: &Path, services: &Services, names: &[String], passed_on: &[String]) -> Result<ExitCode> {
    let (compile, programs): (Vec<_>, Vec<_>) = names.iter().partition(|name| *name == COMPILE);
    let all = names.is_empty();
    if all || !programs.is_empty() {
        let code = run_programs(root, services, &programs, passed_on)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    if all || !compile.is_empty() {
        compile::run(root)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds what benchmarks run as processes, then runs the benchmarks named, or all.
fn run_programs(root: &Path, services: &Services, names: &[&String], passed_on: &[String]) -> Result<ExitCode> {
    let wants = |name: &str| names.is_empty() || names.iter().any(|wanted| *wanted == name);
    let queues = if wants("store") { queues::provide(root, passed_on) } else { None };
    let up = services.up()?;
    let mut bench = cargo(root);
    bench.envs(queues.map(|program| (queues::VARIABLE, program)));
    bench.args(["bench", "--package", "scheduler-benches"]).envs(up.variables());
    for name in names {
        bench.args(["--bench", name]);
    }
    if !passed_on.is_empty() {
        bench.arg("--").args(passed_on);
    }
    let outcome = if wants("attendance") {
        let mut build = cargo(root);
        build.args(["build", "--release", "--package", "hris"]);
        status(&mut build).and_then(|built| if built.success() { status(&mut bench) } else { Ok(built) })
    } else {
        status(&mut bench)
    };
    if up.started_from_nothing() {
        services.down()?;
    }
    Ok(if outcome?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
