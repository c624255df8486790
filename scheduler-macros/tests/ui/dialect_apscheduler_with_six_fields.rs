use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 9 * * *", dialect = "apscheduler")]
async fn job() {}

fn main() {}
