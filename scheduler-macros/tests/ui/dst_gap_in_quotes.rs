use scheduler::prelude::*;

#[scheduled_job(cron = "0 2 * * *", dst_gap = "skip")]
async fn job() {}

fn main() {}
