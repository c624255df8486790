use scheduler::prelude::*;

#[scheduled_job(after = "extract", jitter = "30s")]
async fn job() {}

fn main() {}
