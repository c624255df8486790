use scheduler::prelude::*;

#[scheduled_job(cron = "0 9 * * 2", dialect = "quartz")]
async fn job() {}

fn main() {}
