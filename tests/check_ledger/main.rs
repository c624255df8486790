//! `cargo xtask check-ledger`: holds the history of a database against what was promised.
#![expect(clippy::print_stdout, reason = "what it found goes to stdout")]

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use scheduler::postgres::PostgresConfig;
use scheduler_tests::ledger::{self, LedgerSpan};

const USAGE: &str = "usage: check-ledger [--database-url URL] [--schema S] [--from T] [--to T]
  the URL is `DATABASE_URL`'s unless given; instants as 2026-01-31T17:00:00Z";

#[tokio::main]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1)).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(args: impl Iterator<Item = String>) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let (url, span) = read(args)?;
    let (client, connection) = PostgresConfig::parse(&url)?.connect().await?;
    tokio::spawn(connection);
    let report = ledger::check(&client, &span).await?;
    for violation in &report.violations {
        println!("{violation}");
    }
    if !report.violations.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    println!("{} executions of {} jobs: no violation", report.executions, report.jobs);
    Ok(ExitCode::SUCCESS)
}

fn read(mut args: impl Iterator<Item = String>) -> Result<(String, LedgerSpan), Box<dyn std::error::Error>> {
    let mut span = LedgerSpan::default();
    let mut url = std::env::var("DATABASE_URL").ok();
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("`{flag}` needs a value after it\n{USAGE}"))?;
        match flag.as_str() {
            "--database-url" => url = Some(value),
            "--schema" => span.schema = Some(value),
            "--from" => span.from = Some(instant(&value)?),
            "--to" => span.to = Some(instant(&value)?),
            _ => return Err(format!("unknown flag `{flag}`\n{USAGE}").into()),
        }
    }
    Ok((url.ok_or_else(|| format!("no database\n{USAGE}"))?, span))
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let at = DateTime::parse_from_rfc3339(text).map_err(|error| format!("`{text}` is no instant: {error}\n{USAGE}"))?;
    Ok(at.to_utc())
}
