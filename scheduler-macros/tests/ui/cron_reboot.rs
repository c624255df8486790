use scheduler::prelude::*;

#[scheduled_job(cron = "@reboot")]
async fn job() {}

fn main() {}
