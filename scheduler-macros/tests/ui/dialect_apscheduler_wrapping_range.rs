use scheduler::prelude::*;

#[scheduled_job(cron = "0 22-2 * * *", dialect = "apscheduler")]
async fn job() {}

fn main() {}
