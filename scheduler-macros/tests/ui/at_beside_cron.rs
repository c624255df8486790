use scheduler::prelude::*;

#[scheduled_job(at = "2026-12-31T23:00:00Z", cron = "0 0 * * *")]
async fn job() {}

fn main() {}
