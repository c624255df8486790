use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 * * *", cron = "0 12 * * *")]
async fn job() {}

fn main() {}
