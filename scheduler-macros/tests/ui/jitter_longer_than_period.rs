use scheduler::prelude::*;

#[scheduled_job(every = "1m", jitter = "90s")]
async fn job() {}

fn main() {}
