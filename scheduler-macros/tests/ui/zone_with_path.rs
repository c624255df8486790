use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 * * *", tz = "../../etc/passwd")]
async fn job() {}

fn main() {}
