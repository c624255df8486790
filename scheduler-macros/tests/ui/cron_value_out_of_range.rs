use scheduler::prelude::*;

#[scheduled_job(cron = "60 * * * *")]
async fn job() {}

fn main() {}
