use scheduler::prelude::*;

#[scheduled_job(cron = "5/10 * * * *")]
async fn job() {}

fn main() {}
