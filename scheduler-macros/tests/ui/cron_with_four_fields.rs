use scheduler::prelude::*;

#[scheduled_job(cron = "30 0 * *")]
async fn job() {}

fn main() {}
