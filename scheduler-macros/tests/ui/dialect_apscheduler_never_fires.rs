use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 31 2 *", dialect = "apscheduler")]
async fn job() {}

fn main() {}
