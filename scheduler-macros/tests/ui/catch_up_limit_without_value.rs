use scheduler::prelude::*;

#[scheduled_job(every = "1m", catch_up_limit)]
async fn job() {}

fn main() {}
