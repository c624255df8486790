use scheduler::prelude::*;

#[scheduled_job(cron = "0 0 */2 * 1")]
async fn job() {}

fn main() {}
