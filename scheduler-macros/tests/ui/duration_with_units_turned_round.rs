use scheduler::prelude::*;

#[scheduled_job(manual, max_retry_delay = "30m 1h")]
async fn job() {}

fn main() {}
