use scheduler::prelude::*;

#[scheduled_job(cron = "0 5/10 * * * *", dialect = "quarz")]
async fn job() {}

fn main() {}
