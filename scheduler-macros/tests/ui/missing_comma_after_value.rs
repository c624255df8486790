use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 * * *" tz = "UTC")]
async fn job() {}

fn main() {}
