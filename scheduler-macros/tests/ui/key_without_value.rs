use scheduler::prelude::*;

#[scheduled_job(manual, retries)]
async fn job() {}

fn main() {}
