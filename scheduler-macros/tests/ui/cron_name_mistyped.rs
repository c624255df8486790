use scheduler::prelude::*;

#[scheduled_job(cron = "0 8 * * MUN")]
async fn job() {}

fn main() {}
