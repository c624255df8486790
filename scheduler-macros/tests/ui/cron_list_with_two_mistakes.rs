use scheduler::prelude::*;

#[scheduled_job(cron = ["0 25 * * *", "0 8 * * *", "61 * * * *"])]
async fn job() {}

fn main() {}
