//! What `cargo xtask` can be asked for.

use std::time::Duration;

use crate::{
    failure::{Failure, Result},
    matrix::{Matrix, MixedFleet},
    simulate::Seeds,
    soak::Soak,
};

pub(crate) const USAGE: &str = "\
usage: cargo xtask <command>

  services up        start private PostgreSQL and Redis (or check those given), print their variables
  services down      stop them and remove their data
  services status    say where they are
  test [args…]       every test, with real servers; args go to `cargo test`
  soak [--minutes M | --seconds S] [--seed N]
                     several processes under faults from a seed, then the judge
  soak --seeds N [--from S]
                     the simulation of N seeds, in virtual time; `soak --trace S` tells all of one
  matrix mixed-fleet [--seconds N] [--seed N] [--previous TAG]
                     processes of the last tag and of this commit on the same servers, in both orders of starting, under
                     kills and restarts, then the judge; so many seconds an order
  matrix zones       the zone data beside the newest `tzdata` of PyPI, which is fetched: every zone for ten years
  check-ledger [--database-url URL] [--schema S] [--from T] [--to T]
                     the history of a database against what was promised: a line for each thing that must never
                     be, and exit code 1; the URL is `DATABASE_URL`'s unless given
  bench [name…]      all benchmarks or those named, with real servers; args after `--` go to them;
                     `bench compile` measures what the attribute costs the compiler, without servers;
                     `bench store` the scheduler under load, parts of it by `-- --only every-second,most`";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Services(ServicesCommand),
    Test(Vec<String>),
    Soak(Soak),
    Matrix(Matrix),
    CheckLedger(Vec<String>),
    Simulate(Seeds),
    Bench { names: Vec<String>, passed_on: Vec<String> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServicesCommand {
    Up,
    Down,
    Status,
}

impl Command {
    pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut args = args.into_iter();
        match args.next().as_deref() {
            None => Err(Failure::new(format!("no command given\n\n{USAGE}"))),
            Some("help" | "--help" | "-h") => Ok(Self::Help),
            Some("services") => ServicesCommand::parse(args).map(Self::Services),
            Some("test") => Ok(Self::Test(args.collect())),
            Some("soak") => Self::parse_soak(args),
            Some("matrix") => Self::parse_matrix(args),
            Some("check-ledger") => Ok(Self::CheckLedger(args.collect())),
            Some("bench") => Self::parse_bench(args.collect()),
            Some(unknown) => Err(Failure::new(format!("unknown command `{unknown}`\n\n{USAGE}"))),
        }
    }

    fn parse_soak(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut soak = Soak::DEFAULT;
        let (mut count, mut from, mut traced) = (None, None, None);
        while let Some(flag) = args.next() {
            let value = args.next().and_then(|value| value.parse::<u64>().ok());
            let value = value.ok_or_else(|| Failure::new(format!("`{flag}` needs a whole number after it")))?;
            match flag.as_str() {
                "--minutes" => soak.duration = Duration::from_secs(value.saturating_mul(60)),
                "--seconds" => soak.duration = Duration::from_secs(value),
                "--seed" => soak.seed = value,
                "--seeds" => count = Some(value),
                "--from" => from = Some(value),
                "--trace" => traced = Some(value),
                _ => {
                    return Err(Failure::new(format!(
                        "unknown flag `{flag}`, expected `--minutes`, `--seconds`, `--seed`, `--seeds`, `--from` or `--trace`"
                    )));
                }
            }
        }
        let is_chaos = soak != Soak::DEFAULT;
        match (count, from, traced) {
            (None, None, None) => Ok(Self::Soak(soak)),
            (Some(count), from, None) if !is_chaos => {
                Ok(Self::Simulate(Seeds::Many { from: from.unwrap_or_default(), count }))
            }
            (None, None, Some(seed)) if !is_chaos => Ok(Self::Simulate(Seeds::Traced(seed))),
            (None, Some(_), None) => Err(Failure::new("`--from` goes with `--seeds`")),
            _ => Err(Failure::new(
                "`--minutes`, `--seconds` and `--seed` are the processes', `--seeds` and `--trace` the simulation's",
            )),
        }
    }

    fn parse_matrix(mut args: impl Iterator<Item = String>) -> Result<Self> {
        match args.next().as_deref() {
            Some("mixed-fleet") => {}
            Some("zones") => {
                return args.next().map_or(Ok(Self::Matrix(Matrix::Zones)), |more| {
                    Err(Failure::new(format!("unexpected argument `{more}`")))
                });
            }
            Some(unknown) => {
                return Err(Failure::new(format!("unknown job `matrix {unknown}`, expected `mixed-fleet` or `zones`")));
            }
            None => return Err(Failure::new("`matrix` needs a job: `mixed-fleet` or `zones`")),
        }
        let mut fleet = MixedFleet::default();
        while let Some(flag) = args.next() {
            let value = args.next().ok_or_else(|| Failure::new(format!("`{flag}` needs a value after it")))?;
            let number =
                || value.parse::<u64>().map_err(|_| Failure::new(format!("`{flag}` needs a whole number after it")));
            match flag.as_str() {
                "--seconds" => fleet.duration = Duration::from_secs(number()?),
                "--seed" => fleet.seed = number()?,
                "--previous" => fleet.previous = Some(value),
                _ => {
                    return Err(Failure::new(format!(
                        "unknown flag `{flag}`, expected `--seconds`, `--seed` or `--previous`"
                    )));
                }
            }
        }
        Ok(Self::Matrix(Matrix::MixedFleet(fleet)))
    }

    fn parse_bench(mut names: Vec<String>) -> Result<Self> {
        let passed_on = match names.iter().position(|arg| arg == "--") {
            Some(dashes) => names.split_off(dashes).split_off(1),
            None => Vec::new(),
        };
        match names.iter().find(|name| name.starts_with('-')) {
            Some(flag) => {
                Err(Failure::new(format!("`{flag}` is not a benchmark's name; flags for benchmarks go after `--`")))
            }
            None => Ok(Self::Bench { names, passed_on }),
        }
    }
}

impl ServicesCommand {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self> {
        const CHOICE: &str = "`up`, `down` or `status`";
        let command = match args.next().as_deref() {
            Some("up") => Self::Up,
            Some("down") => Self::Down,
            Some("status") => Self::Status,
            Some(unknown) => {
                return Err(Failure::new(format!("unknown command `services {unknown}`, expected {CHOICE}")));
            }
            None => return Err(Failure::new(format!("`services` needs one of {CHOICE}"))),
        };
        match args.next() {
            Some(extra) => Err(Failure::new(format!("unexpected argument `{extra}`"))),
            None => Ok(command),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command> {
        Command::parse(line.split_whitespace().map(str::to_owned))
    }

    fn refused(line: &str) -> String {
        parse(line).expect_err("refused").to_string()
    }

    #[test]
    fn services_takes_one_of_three_words() {
        assert_eq!(parse("services up").unwrap(), Command::Services(ServicesCommand::Up));
        assert_eq!(parse("services down").unwrap(), Command::Services(ServicesCommand::Down));
        assert_eq!(parse("services status").unwrap(), Command::Services(ServicesCommand::Status));
    }

    #[test]
    fn matrix_zones_takes_nothing() {
        assert_eq!(parse("matrix zones").unwrap(), Command::Matrix(Matrix::Zones));
        assert_eq!(refused("matrix zones all"), "unexpected argument `all`");
    }

    #[test]
    fn unknown_commands_are_named_with_what_is_known() {
        let message = refused("tset");
        assert!(message.contains("unknown command `tset`") && message.contains("services up"), "{message}");
        let message = refused("services restart");
        assert!(message.contains("`services restart`") && message.contains("`down`"), "{message}");
        assert!(refused("").contains("no command given"));
        assert!(refused("services").contains("needs one of"));
        assert!(refused("services up twice").contains("unexpected argument `twice`"));
    }

    #[test]
    fn test_and_check_ledger_pass_everything_on() {
        let expected = ["-p", "scheduler-redis", "--", "--nocapture"].map(str::to_owned).to_vec();
        assert_eq!(parse("test -p scheduler-redis -- --nocapture").unwrap(), Command::Test(expected));
        let expected = ["--schema", "duty"].map(str::to_owned).to_vec();
        assert_eq!(parse("check-ledger --schema duty").unwrap(), Command::CheckLedger(expected));
    }

    #[test]
    fn soak_takes_its_length_and_its_seed() {
        let soak = Soak { duration: Duration::from_secs(120), seed: 7, ..Soak::DEFAULT };
        assert_eq!(parse("soak --minutes 2 --seed 7").unwrap(), Command::Soak(soak));
        assert_eq!(parse("soak").unwrap(), Command::Soak(Soak::DEFAULT));
        assert!(refused("soak --minutes many").contains("whole number"));
        assert!(refused("soak --hours 2").contains("`--hours`"));
    }

    #[test]
    fn matrix_takes_a_job_with_its_length_its_seed_and_its_tag() {
        let parsed = |fleet| Command::Matrix(Matrix::MixedFleet(fleet));
        assert_eq!(parse("matrix mixed-fleet").unwrap(), parsed(MixedFleet::default()));
        let fleet = MixedFleet { duration: Duration::from_secs(9), seed: 7, previous: Some("v0.1.0".to_owned()) };
        assert_eq!(parse("matrix mixed-fleet --seconds 9 --seed 7 --previous v0.1.0").unwrap(), parsed(fleet));
        assert!(refused("matrix").contains("`mixed-fleet`"));
        assert!(refused("matrix fleet").contains("unknown job `matrix fleet`"));
        assert!(refused("matrix mixed-fleet --seed one").contains("whole number"));
        assert!(refused("matrix mixed-fleet --nodes 2").contains("`--nodes`"));
    }

    #[test]
    fn soak_of_seeds_is_the_simulation() {
        let many = |from, count| Command::Simulate(Seeds::Many { from, count });
        assert_eq!(parse("soak --seeds 10000").unwrap(), many(0, 10_000));
        assert_eq!(parse("soak --seeds 10 --from 5").unwrap(), many(5, 10));
        assert_eq!(parse("soak --trace 880").unwrap(), Command::Simulate(Seeds::Traced(880)));
        assert!(refused("soak --from 5").contains("goes with `--seeds`"));
        assert!(refused("soak --seeds 5 --minutes 2").contains("the simulation's"));
        assert!(refused("soak --seeds 5 --trace 2").contains("the simulation's"));
    }

    #[test]
    fn bench_splits_names_from_what_is_passed_on() {
        let (names, passed_on) = (vec!["dispatch".to_owned()], vec!["--quick".to_owned()]);
        assert_eq!(parse("bench dispatch -- --quick").unwrap(), Command::Bench { names, passed_on });
        assert!(refused("bench --quick").contains("after `--`"));
    }
}
