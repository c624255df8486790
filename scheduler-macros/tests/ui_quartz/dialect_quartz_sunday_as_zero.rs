use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 9 * * 0", dialect = "quartz")]
async fn job() {}

fn main() {}
