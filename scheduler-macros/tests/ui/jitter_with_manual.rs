use scheduler::prelude::*;

#[scheduled_job(manual, jitter = "30s")]
async fn job() {}

fn main() {}
