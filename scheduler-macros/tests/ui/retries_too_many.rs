use scheduler::prelude::*;

#[scheduled_job(manual, retries = 4294967296)]
async fn job() {}

fn main() {}
