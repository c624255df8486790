//! `cargo xtask test`: every test, with real servers.

use std::{
    path::Path,
    process::{ExitCode, ExitStatus},
};

use crate::{
    browser,
    cargo::{cargo, status},
    failure::{Failure, Result},
    schemathesis,
    services::Services,
};

/// Builds what tests run as processes of their own, then runs the documentation's tests, then all others: the last
/// lines printed are the test runner's.
///
/// A failure doesn't stop the rest. Services that were down before are stopped again.
pub(crate) fn run(root: &Path, services: &Services, args: &[String]) -> Result<ExitCode> {
    let plan = Plan::new(args);
    let up = services.up()?;
    let mut tools = Vec::new();
    if plan.asks_the_api {
        tools.push((schemathesis::VARIABLE, schemathesis::provide(root)?));
        tools.extend(browser::provide(root)?);
    }
    let mut failed = Vec::new();
    for step in &plan.steps {
        let mut command = cargo(root);
        command.args(step).envs(up.variables());
        command.envs(tools.iter().map(|(name, path)| (name, path)));
        let outcome = status(&mut command);
        if !outcome.as_ref().is_ok_and(ExitStatus::success) {
            failed.push(shown(step, outcome));
            if step[0] == "build" {
                break;
            }
        }
    }
    if up.started_from_nothing() {
        services.down()?;
    }
    if failed.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(Failure::new(failed.join("\n"))) }
}

fn shown(step: &[String], outcome: Result<ExitStatus>) -> String {
    let outcome = outcome.map_or_else(|failure| failure.to_string(), |status| status.to_string());
    format!("`cargo {}` failed ({outcome})", step.join(" "))
}

/// The cargo commands of one run.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    steps: Vec<Vec<String>>,
    /// Whether the admin API's tests are among them.
    asks_the_api: bool,
}

impl Plan {
    fn new(args: &[String]) -> Self {
        let own = args.split(|arg| arg == "--").next().unwrap_or_default();
        let any = |flags: &[&str]| own.iter().any(|arg| flags.contains(&arg.split('=').next().unwrap_or_default()));

        let mut shared = Vec::new();
        if !any(&["--all-features", "--features", "-F", "--no-default-features"]) {
            shared.push("--all-features".to_owned());
        }
        // With the tests: their dependencies' features are those of the binaries then, and nothing is built twice.
        let mut build =
            words(&["build", "--workspace", "--exclude", "scheduler-benches", "--bins", "--examples", "--tests"]);
        build.extend(shared.clone());
        if any(&["--release", "-r"]) {
            build.push("--release".to_owned());
        }
        let packages_chosen = any(&["-p", "--package"]);
        if !packages_chosen && !any(&["--workspace", "--all"]) {
            // Its peers take minutes to build, and it has no tests.
            shared.extend(words(&["--workspace", "--exclude", "scheduler-benches"]));
        }
        if !any(&["--no-fail-fast"]) {
            shared.push("--no-fail-fast".to_owned());
        }
        let test = |targets: &[&str]| {
            let mut step = words(&["test"]);
            step.extend(shared.iter().cloned());
            step.extend(words(targets));
            step.extend(args.iter().cloned());
            step
        };
        let targets_chosen = any(&[
            "--doc",
            "--lib",
            "--bins",
            "--bin",
            "--examples",
            "--example",
            "--tests",
            "--test",
            "--benches",
            "--bench",
            "--all-targets",
        ]);
        // A package without a library can't be asked for its documentation's tests: cargo sorts that out itself.
        let tests = if packages_chosen || targets_chosen {
            vec![test(&[])]
        } else {
            vec![test(&["--doc"]), test(&["--tests"])]
        };
        let asks_the_api = !packages_chosen || own.iter().any(|arg| arg.ends_with("scheduler-admin"));
        Self { steps: std::iter::once(build).chain(tests).collect(), asks_the_api }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Vec<String> {
        let args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Plan::new(&args).steps.iter().map(|step| step.join(" ")).collect()
    }

    #[test]
    fn everything_is_tested_with_the_test_binaries_last() {
        assert_eq!(
            plan(""),
            [
                "build --workspace --exclude scheduler-benches --bins --examples --tests --all-features",
                "test --all-features --workspace --exclude scheduler-benches --no-fail-fast --doc",
                "test --all-features --workspace --exclude scheduler-benches --no-fail-fast --tests",
            ]
        );
    }

    #[test]
    fn a_chosen_package_target_or_feature_is_not_widened() {
        assert_eq!(
            plan("-p scheduler-redis --features tls renew -- --nocapture")[1..],
            ["test --no-fail-fast -p scheduler-redis --features tls renew -- --nocapture"]
        );
        assert_eq!(
            plan("--lib")[1..],
            ["test --all-features --workspace --exclude scheduler-benches --no-fail-fast --lib"]
        );
    }

    #[test]
    fn schemathesis_and_a_browser_are_needed_where_the_admin_api_is_tested() {
        let needed = |line: &str| {
            let args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            Plan::new(&args).asks_the_api
        };
        assert!(needed("") && needed("-p scheduler-admin openapi") && needed("--package=scheduler-admin"));
        assert!(!needed("-p scheduler-redis -- scheduler-admin"));
    }

    #[test]
    fn arguments_of_the_test_binaries_choose_nothing() {
        assert_eq!(
            plan("-- --doc -p")[1],
            "test --all-features --workspace --exclude scheduler-benches --no-fail-fast --doc -- --doc -p"
        );
    }

    #[test]
    fn binaries_are_built_in_the_profile_of_the_tests() {
        assert!(plan("--release")[0].ends_with("--release"));
    }
}
