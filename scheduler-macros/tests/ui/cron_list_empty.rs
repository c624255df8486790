use scheduler::prelude::*;

#[scheduled_job(cron = [])]
async fn job() {}

fn main() {}
