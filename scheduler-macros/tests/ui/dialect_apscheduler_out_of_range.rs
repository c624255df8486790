use scheduler::prelude::*;

#[scheduled_job(cron = "0 9 * * 1,8", dialect = "apscheduler")]
async fn job() {}

fn main() {}
