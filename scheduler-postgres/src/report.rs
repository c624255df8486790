//! What executions say (R3, R21).

use chrono::{DateTime, Utc};
use scheduler_core::{
    execution::Progress,
    logs::LogLevel,
    store::{LogLine, LogPage, LogQuery, LogStart, Report},
};
use tokio_postgres::{Row, types::Type};

use crate::{
    error::PostgresError,
    pool::{Connections, Param},
    row::{self, storable},
    sql::Query,
};

pub(crate) async fn report(connections: &Connections, reports: &[Report]) -> Result<(), PostgresError> {
    if reports.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = reports.iter().map(|report| report.execution_id.0).collect();
    let logged: Vec<i64> = reports.iter().map(|report| signed(report.logged)).collect();
    let of_progress = |part: fn(Progress) -> u64| -> Vec<Option<i64>> {
        reports.iter().map(|report| report.progress.map(|progress| signed(part(progress)))).collect()
    };
    let (done, total) = (of_progress(|progress| progress.done), of_progress(|progress| progress.total));
    let lines: Vec<(i64, &LogLine)> =
        reports.iter().flat_map(|report| report.lines.iter().map(|line| (report.execution_id.0, line))).collect();
    let of: Vec<i64> = lines.iter().map(|(id, _)| *id).collect();
    let places: Vec<i32> = lines.iter().map(|(_, line)| i32::try_from(line.place).unwrap_or(i32::MAX)).collect();
    let numbers: Vec<i64> = lines.iter().map(|(_, line)| signed(line.number)).collect();
    let instants: Vec<DateTime<Utc>> = lines.iter().map(|(_, line)| line.at).collect();
    let levels: Vec<&str> = lines.iter().map(|(_, line)| line.level.as_str()).collect();
    let targets: Vec<_> = lines.iter().map(|(_, line)| storable(&line.target)).collect();
    let messages: Vec<_> = lines.iter().map(|(_, line)| storable(&line.message)).collect();
    let params: [Param<'_>; 11] = [
        (&ids, Type::INT8_ARRAY),
        (&logged, Type::INT8_ARRAY),
        (&done, Type::INT8_ARRAY),
        (&total, Type::INT8_ARRAY),
        (&of, Type::INT8_ARRAY),
        (&places, Type::INT4_ARRAY),
        (&numbers, Type::INT8_ARRAY),
        (&instants, Type::TIMESTAMPTZ_ARRAY),
        (&levels, Type::TEXT_ARRAY),
        (&targets, Type::TEXT_ARRAY),
        (&messages, Type::TEXT_ARRAY),
    ];
    connections.get().await?.query(Query::Report, &params).await?;
    Ok(())
}

pub(crate) async fn logs(connections: &Connections, query: &LogQuery) -> Result<LogPage, PostgresError> {
    let id = query.execution_id.0;
    let after = if let LogStart::After(number) = query.start { signed(number) } else { 0 };
    let is_last = query.start == LogStart::Last;
    let levels = LogLevel::ALL.iter().filter(|level| query.level.includes(**level));
    let levels: Vec<&str> = levels.map(|level| level.as_str()).collect();
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let params: [Param<'_>; 5] = [
        (&id, Type::INT8),
        (&after, Type::INT8),
        (&levels, Type::TEXT_ARRAY),
        (&is_last, Type::BOOL),
        (&limit, Type::INT8),
    ];
    let of: [Param<'_>; 1] = [(&id, Type::INT8)];
    let connection = connections.get().await?;
    let (rows, counts) = tokio::join!(connection.query(Query::Logs, &params), connection.query(Query::LogsCount, &of));
    let mut lines: Vec<LogLine> = rows?.iter().map(line).collect::<Result<_, _>>()?;
    if is_last {
        lines.reverse();
    }
    let counts = counts?;
    Ok(LogPage::new(lines, unsigned(&counts[0], "logged")?, unsigned(&counts[0], "kept")?))
}

/// How far the execution of a row is, of the columns that `{e.read_columns}` has more than `{e.columns}`.
pub(crate) fn progress(row: &Row) -> Result<Option<Progress>, PostgresError> {
    let done: Option<i64> = row.try_get("progress_done")?;
    let total: Option<i64> = row.try_get("progress_total")?;
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(done.zip(total).map(|(done, total)| Progress::new(number(done), number(total))))
}

fn line(row: &Row) -> Result<LogLine, PostgresError> {
    Ok(LogLine {
        place: row.try_get::<_, i32>("place")?.try_into().unwrap_or(0),
        number: unsigned(row, "number")?,
        at: row.try_get("at")?,
        level: row::word(row, "level", "level")?,
        target: row.try_get("target")?,
        message: row.try_get("message")?,
    })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row, column: &str) -> Result<u64, PostgresError> {
    Ok(row.try_get::<_, i64>(column)?.try_into().unwrap_or(0))
}
