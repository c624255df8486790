use scheduler::prelude::*;

#[scheduled_job(cron = "0 2 * * *", dst_gap = shfit)]
async fn job() {}

fn main() {}
