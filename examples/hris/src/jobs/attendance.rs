//! The daily attendance rows.

use scheduler::prelude::*;

use crate::{attendance::create_absent_rows, hris::Hris};

/// Gives every active employee an "absent" attendance row for the day.
///
/// The day is that of the occurrence in the job's zone, however late the run. An employee that fails is counted and
/// the others go on; the attempt fails if every one did, or a page of employees can't be had.
#[scheduled_job(
    id = "auto_create_daily_attendance",
    name = "Daily attendance",
    cron = "30 0 * * *",
    tz = "Asia/Jakarta",
    tags = ["attendance"],
    retries = 3,
    retry_delay = "60s",
    timeout = "8m"
)]
pub async fn auto_create_daily_attendance(
    context: JobContext,
    at: ScheduledAt,
    cancellation: CancellationToken,
    State(hris): State<Hris>,
) -> JobResult {
    let employees = hris.workforce().in_trace(context.trace_context().cloned()).active_employees(cancellation);
    let progress = |done, total| context.progress(done, total);
    let report = create_absent_rows(at.date_naive(), employees, hris.attendance(), progress).await?;
    Ok(report.into())
}
