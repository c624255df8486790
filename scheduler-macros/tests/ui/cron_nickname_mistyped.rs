use scheduler::prelude::*;

#[scheduled_job(cron = "@dayly")]
async fn job() {}

fn main() {}
