use scheduler::prelude::*;

#[scheduled_job(cron = "0 2 * * *", dst_fold = twice)]
async fn job() {}

fn main() {}
