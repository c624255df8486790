use scheduler::prelude::*;

#[scheduled_job(cron = ["0 8 * * *", "0 8 30 2 *"])]
async fn job() {}

fn main() {}
