use scheduler::prelude::*;

#[scheduled_job(every = "1m", jitter = 30)]
async fn job() {}

fn main() {}
