//! The attendance job with many employees, beside `psql` that inserts the same rows.
//!
//! `cargo xtask bench attendance [-- --rounds 3 --employees 100000]`, which starts the servers and builds `hris`, the
//! program measured, first; `cargo bench` alone measures the `hris` that the last release build left. In each round a
//! service of its own, on an empty database, is asked for the job over HTTP; then `psql` fills an empty table of its
//! own. The memory is the most that the service had resident from its start.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

mod employees;
mod psql;
mod service;

use std::process::ExitCode;

use employees::Employees;
use psql::Psql;
use scheduler_benches::{Table, median};
use scheduler_tests::{Database, Process};

/// The goals, which the benchmark prints and does not check: they hold on a machine with nothing else to do.
const HEADER: [&str; 5] =
    ["round", "job, s", "psql, s", "ratio (goal: at most 3)", "service, peak MB (goal: below 150)"];

/// Which rows a table holds, but for what the database itself adds.
const ROWS: &str = "SELECT sum(hashtext((employee_id, org_unit_id, attendance_date, status)::text)::bigint)::bigint \
                    FROM attendances";

/// What was asked for.
#[derive(Debug)]
struct Options {
    rounds: usize,
    employees: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match parse(&arguments) {
        Ok(options) => {
            measure(&options).await;
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}\nusage: attendance [--rounds N] [--employees N]");
            ExitCode::from(2)
        }
    }
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options { rounds: 3, employees: 100_000 };
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        let number =
            || value.parse::<u32>().map(|number| number.max(1)).map_err(|error| format!("`{name} {value}`: {error}"));
        match name.as_str() {
            "--rounds" => options.rounds = number()? as usize,
            "--employees" => options.employees = number()?,
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    Ok(options)
}

async fn measure(options: &Options) {
    let employees = Employees(options.employees);
    let files = tempfile::tempdir().expect("a temporary directory");
    let csv = files.path().join("employees.csv");
    std::fs::write(&csv, employees.csv()).expect("the employees are written");
    let csv = csv.to_str().expect("a path in UTF-8");
    let workforce = Process::start("hris", &["workforce", "--listen", "127.0.0.1:0", "--employees", csv], &[]);
    let address = workforce.wait_for("listens on ");
    let workforce_url = address.split_whitespace().next().expect("it prints its URL");
    let psql = Psql::find();

    let mut table = Table::new(&HEADER);
    let mut rounds = Vec::new();
    for round in 1..=options.rounds {
        let database = Database::create().await;
        let run = service::run(employees, &database, workforce_url);
        let by_job = database.number(ROWS).await;
        database.drop().await;

        let database = Database::create().await;
        let inserted = psql.insert(employees, &run.date, &database, files.path()).await;
        assert_eq!(database.number(ROWS).await, by_job, "the job and psql write the same rows");
        database.drop().await;

        let figures = [
            run.took.as_secs_f64(),
            inserted.as_secs_f64(),
            run.took.div_duration_f64(inserted),
            run.peak_bytes as f64 / 1e6,
        ];
        table.row(cells(round.to_string(), figures));
        rounds.push(figures);
    }
    let medians = std::array::from_fn(|figure| median(rounds.iter().map(|figures| figures[figure]).collect()));
    table.row(cells("median".to_owned(), medians));
    println!("\n## The attendance job, {} employees, {} rounds\n\n{table}", options.employees, options.rounds);
}

fn cells(round: String, [job, psql, ratio, peak]: [f64; 4]) -> [String; 5] {
    [round, format!("{job:.2}"), format!("{psql:.2}"), format!("{ratio:.2}"), format!("{peak:.1}")]
}
