//! What the command line asks for.

use std::{net::SocketAddr, path::PathBuf};

use scheduler::identity::{JobId, JobIdError};
use thiserror::Error;

/// What `hris --help` prints.
pub const HELP: &str = "\
The reference service: an HRIS with its attendance job.

Usage:
  hris [--with-demo-tick]                          serve the API and run the jobs
  hris run JOB_ID                                  run one job once, and print its execution as JSON
  hris migrate [--check | --sql | --new-identity]  make or change the tables of DATABASE_URL, without the service
  hris workforce [--listen ADDR] [--employees CSV] serve the Workforce API alone
  hris --help

hris:
  --with-demo-tick  has a job more, due each second, to watch several instances by

hris migrate; as a role that may change tables, but for --check and --sql:
  --check           print which versions the tables have and which are missing, and change nothing
  --sql             print what is missing as SQL, to be run by `psql -X -f FILE`, and change nothing
  --new-identity    migrate, then give the tables another identity: for a clone, or for what was restored beside the
                    original, before its first instance starts

hris workforce:
  --listen ADDR     IP address and port [127.0.0.1:50051]; port 0 takes a free one
  --employees CSV   the employees [180 for show, 150 of them active]; the first line names the columns, in any order:
                    employee_id, employee_number, employee_name, employee_email, employee_org_unit_id,
                    is_active (true, false), employee_type (on_site, hybrid, ho); all but employee_id may be left out

Environment of hris; without it everything runs in this process, and demo tokens are printed:
  HRIS_HTTP_ADDR      where the API listens [127.0.0.1:8002]
  DATABASE_URL        PostgreSQL, for executions and attendance rows
  REDIS_URL           Redis, the lock backend
  WORKFORCE_GRPC_URL  the Workforce Service, such as http://workforce:50051
  HRIS_JWT_SECRET     the key of the bearer tokens (HS256), at least 32 bytes
  RUST_LOG            what is logged [info]
  OTEL_EXPORTER_OTLP_ENDPOINT
                      an OTLP collector (gRPC), such as http://localhost:4317, for a span per execution; other OTEL_…
                      variables are OpenTelemetry's; needs a build with `--features otlp`

Exit codes:
  0  it did what it was asked for
  1  it failed, and said why on stderr; `run`: the job did not succeed
  2  it was called wrongly
  3  `migrate --check`: something that this program needs is missing, or breaks it
";

/// Where `hris workforce` listens if it is not told.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 50051);

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Serve the API and run the jobs.
    Serve {
        /// With a job that is due each second.
        with_demo_tick: bool,
    },
    /// Run one job once.
    Run {
        /// The job.
        job_id: JobId,
    },
    /// Make, change or look at the tables.
    Migrate(Migrate),
    /// Serve the Workforce API alone.
    Workforce {
        /// Where.
        listen: SocketAddr,
        /// The CSV file; without one the demo employees.
        employees: Option<PathBuf>,
    },
    /// Print the help.
    Help,
}

/// What is done to the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// Make or change them.
    Run,
    /// Tell what they have and what is missing.
    Check,
    /// Print what is missing as SQL.
    Sql,
    /// Migrate, and draw another identity.
    NewIdentity,
}

/// The command line asks for nothing that there is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A word that says nothing here.
    #[error("unknown argument `{0}`")]
    Unknown(String),
    /// An option without its value, or with one that it does not take.
    #[error("`{option}` must be {expected}")]
    Value {
        /// The option.
        option: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// A text that is no job's id.
    #[error(transparent)]
    JobId(#[from] JobIdError),
    /// A command without what it needs.
    #[error("`hris run` must be followed by a job's id")]
    NoJobId,
    /// An option given twice.
    #[error("`{0}` is given twice")]
    Twice(&'static str),
}

impl Command {
    /// Reads the arguments behind the program's name.
    ///
    /// # Errors
    /// The first argument that says nothing.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, UsageError> {
        let mut arguments = arguments.into_iter().collect::<Vec<_>>();
        if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
            return Ok(Self::Help);
        }
        match arguments.first().map(String::as_str) {
            None => Ok(Self::Serve { with_demo_tick: false }),
            Some("--with-demo-tick") if arguments.len() == 1 => Ok(Self::Serve { with_demo_tick: true }),
            Some("run") => run(&arguments[1..]),
            Some("migrate") => migrate(&arguments[1..]),
            Some("help") if arguments.len() == 1 => Ok(Self::Help),
            Some("workforce") => workforce(arguments.drain(1..)),
            Some(_) => Err(UsageError::Unknown(arguments.swap_remove(0))),
        }
    }
}

fn run(arguments: &[String]) -> Result<Command, UsageError> {
    match arguments {
        [] => Err(UsageError::NoJobId),
        [job_id] => Ok(Command::Run { job_id: JobId::parse(job_id)? }),
        [_, extra, ..] => Err(UsageError::Unknown(extra.clone())),
    }
}

fn migrate(arguments: &[String]) -> Result<Command, UsageError> {
    let what = match arguments.first().map(String::as_str) {
        None => Migrate::Run,
        Some("--check") => Migrate::Check,
        Some("--sql") => Migrate::Sql,
        Some("--new-identity") => Migrate::NewIdentity,
        Some(unknown) => return Err(UsageError::Unknown(unknown.to_owned())),
    };
    match arguments.get(1) {
        None => Ok(Command::Migrate(what)),
        Some(extra) => Err(UsageError::Unknown(extra.clone())),
    }
}

fn workforce(arguments: impl Iterator<Item = String>) -> Result<Command, UsageError> {
    const LISTEN: &str = "--listen";
    const EMPLOYEES: &str = "--employees";
    let (mut listen, mut employees) = (None, None);
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        // `--option=value` and `--option value` say the same.
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument.clone(), None),
        };
        match name.as_str() {
            LISTEN => {
                let invalid = UsageError::Value { option: LISTEN, expected: "followed by an IP address and a port" };
                let address = value.or_else(|| arguments.next()).and_then(|text| text.parse().ok()).ok_or(invalid)?;
                once(&mut listen, address, LISTEN)?;
            }
            EMPLOYEES => {
                let missing = UsageError::Value { option: EMPLOYEES, expected: "followed by a CSV file" };
                let file = value.or_else(|| arguments.next()).filter(|file| !file.is_empty()).ok_or(missing)?;
                once(&mut employees, PathBuf::from(file), EMPLOYEES)?;
            }
            _ => return Err(UsageError::Unknown(argument)),
        }
    }
    Ok(Command::Workforce { listen: listen.unwrap_or(DEFAULT_LISTEN), employees })
}

fn once<T>(slot: &mut Option<T>, value: T, option: &'static str) -> Result<(), UsageError> {
    if slot.replace(value).is_some() { Err(UsageError::Twice(option)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, UsageError> {
        Command::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn commands_are_read() {
        assert_eq!(parse(""), Ok(Command::Serve { with_demo_tick: false }));
        assert_eq!(parse("--with-demo-tick"), Ok(Command::Serve { with_demo_tick: true }));
        let job_id = JobId::parse("auto_create_daily_attendance").expect("a valid id");
        assert_eq!(parse("run auto_create_daily_attendance"), Ok(Command::Run { job_id }));
        assert_eq!(parse("migrate"), Ok(Command::Migrate(Migrate::Run)));
        assert_eq!(parse("migrate --check"), Ok(Command::Migrate(Migrate::Check)));
        assert_eq!(parse("migrate --sql"), Ok(Command::Migrate(Migrate::Sql)));
        assert_eq!(parse("migrate --new-identity"), Ok(Command::Migrate(Migrate::NewIdentity)));
        assert_eq!(parse("--help"), Ok(Command::Help));
        assert_eq!(parse("workforce --help"), Ok(Command::Help));
        assert_eq!(parse("workforce"), Ok(Command::Workforce { listen: DEFAULT_LISTEN, employees: None }));
        let whole = Command::Workforce {
            listen: "0.0.0.0:0".parse().expect("an address"),
            employees: Some("employees.csv".into()),
        };
        assert_eq!(parse("workforce --listen 0.0.0.0:0 --employees employees.csv"), Ok(whole.clone()));
        assert_eq!(parse("workforce --employees=employees.csv --listen=0.0.0.0:0"), Ok(whole));
    }

    #[test]
    fn mistakes_name_the_argument() {
        let message = |line: &str| parse(line).expect_err("has a mistake").to_string();
        assert_eq!(message("serve"), "unknown argument `serve`");
        assert_eq!(message("run"), "`hris run` must be followed by a job's id");
        assert_eq!(message("run a b"), "unknown argument `b`");
        assert!(message("run ../a").starts_with("job id `../a` must start with"));
        assert_eq!(message("migrate --dry-run"), "unknown argument `--dry-run`");
        assert_eq!(message("migrate --check --sql"), "unknown argument `--sql`");
        assert_eq!(message("workforce --port 1"), "unknown argument `--port`");
        assert_eq!(message("workforce --listen"), "`--listen` must be followed by an IP address and a port");
        assert_eq!(message("workforce --listen 50051"), "`--listen` must be followed by an IP address and a port");
        assert_eq!(message("workforce --employees"), "`--employees` must be followed by a CSV file");
        assert_eq!(message("workforce --employees a --employees b"), "`--employees` is given twice");
    }
}
