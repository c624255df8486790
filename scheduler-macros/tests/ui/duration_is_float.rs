use scheduler::prelude::*;

#[scheduled_job(manual, retry_delay = 1.5)]
async fn job() {}

fn main() {}
