use scheduler::prelude::*;

#[scheduled_job(manual, retries = 1, retries = 2)]
async fn job() {}

fn main() {}
