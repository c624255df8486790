use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 9 * * 2-6", dialect = "quartz")]
async fn job() {}

fn main() {}
