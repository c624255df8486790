use scheduler::prelude::*;

#[scheduled_job(cron = "0 9 * * 7", dialect = "apscheduler")]
async fn job() {}

fn main() {}
