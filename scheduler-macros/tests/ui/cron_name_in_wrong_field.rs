use scheduler::prelude::*;

#[scheduled_job(cron = "0 MON * * *")]
async fn job() {}

fn main() {}
