use scheduler::prelude::*;

#[scheduled_job(cron = "0 9 * * *", except)]
async fn job() {}

fn main() {}
