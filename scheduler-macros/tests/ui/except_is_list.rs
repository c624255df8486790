use scheduler::prelude::*;

#[scheduled_job(cron = "0 9 * * *", except = ["id-holidays"])]
async fn job() {}

fn main() {}
