use scheduler::prelude::*;

#[scheduled_job(cron = "0 30 0 * * * 2026 7")]
async fn job() {}

fn main() {}
