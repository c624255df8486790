use scheduler::prelude::*;

#[scheduled_job(manual, retries = three)]
async fn job() {}

fn main() {}
