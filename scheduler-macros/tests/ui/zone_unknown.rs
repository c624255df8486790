use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 * * *", tz = "Indonesia/Jakarta")]
async fn job() {}

fn main() {}
