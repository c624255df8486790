use scheduler::prelude::*;

#[scheduled_job(cron = 5)]
async fn job() {}

fn main() {}
