use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 9 L * ?", dialect = "quartz")]
async fn job() {}

fn main() {}
