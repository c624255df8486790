use scheduler::prelude::*;

#[scheduled_job(cron = "0 9 * * *", dialect)]
async fn job() {}

fn main() {}
