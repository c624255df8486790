use scheduler::prelude::*;

#[scheduled_job(manual, retries = -1)]
async fn job() {}

fn main() {}
