use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 * * *", tz = Asia/Jakarta)]
async fn job() {}

fn main() {}
