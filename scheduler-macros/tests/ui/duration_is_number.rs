use scheduler::prelude::*;

#[scheduled_job(manual, retry_delay = 60)]
async fn job() {}

fn main() {}
