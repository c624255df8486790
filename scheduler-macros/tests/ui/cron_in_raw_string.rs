use scheduler::prelude::*;

#[scheduled_job(cron = r"0 24 * * *")]
async fn job() {}

fn main() {}
