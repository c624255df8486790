use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 * * *", every = "5m")]
async fn job() {}

fn main() {}
