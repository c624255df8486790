use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 * * *", tz = "Asia/Jakata")]
async fn job() {}

fn main() {}
