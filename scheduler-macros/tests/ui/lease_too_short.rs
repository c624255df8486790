use scheduler::prelude::*;

#[scheduled_job(manual, lease_ttl = "1s")]
async fn job() {}

fn main() {}
