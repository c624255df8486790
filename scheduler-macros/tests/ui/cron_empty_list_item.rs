use scheduler::prelude::*;

#[scheduled_job(cron = "1,,2 * * * *")]
async fn job() {}

fn main() {}
