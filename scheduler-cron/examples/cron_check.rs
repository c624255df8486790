//! Answers questions about occurrences, a JSON line each, so that other programs can check this engine.
//!
//! A question is `{"id", "expr", "tz", "after", "n"}`; its answer is `{"next": [instants]}` or `{"error": message}`, and in `us` the
//! microseconds that it took.
//!
//! ```console
//! $ echo '{"expr": "30 0 * * *", "tz": "Asia/Jakarta", "after": "2025-11-02T12:00:00Z", "n": 1}' | cargo run -q --example cron_check
//! {"next":["2025-11-02T17:30:00Z"],"us":13}
//! ```

use std::error::Error;
use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use chrono::{DateTime, SecondsFormat, Utc};
use scheduler_cron::{CronExpr, parse_zone};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut output = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the time an answer takes is measured, nothing is scheduled by it"
        )]
        let started = std::time::Instant::now();
        let mut answer = match next(&question) {
            Ok(next) => json!({ "next": next }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        answer["us"] = json!(u64::try_from(started.elapsed().as_micros())?);
        writeln!(output, "{answer}")?;
    }
    Ok(output.flush()?)
}

fn next(question: &Value) -> Result<Vec<String>, Box<dyn Error>> {
    let text = |key: &str| question[key].as_str().ok_or_else(|| format!("`{key}` is no text"));
    let expr = CronExpr::parse(text("expr")?)?;
    let zone = parse_zone(text("tz")?)?;
    let after: DateTime<Utc> = text("after")?.parse()?;
    let count = question["n"].as_u64().ok_or("`n` is no number")?;
    let next = expr.upcoming(after, zone).take(usize::try_from(count)?);
    Ok(next.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).collect())
}
