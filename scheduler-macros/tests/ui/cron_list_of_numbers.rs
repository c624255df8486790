use scheduler::prelude::*;

#[scheduled_job(cron = ["0 8 * * *", 5])]
async fn job() {}

fn main() {}
