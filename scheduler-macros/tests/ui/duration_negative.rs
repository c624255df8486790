use scheduler::prelude::*;

#[scheduled_job(manual, retry_delay = "-5s")]
async fn job() {}

fn main() {}
