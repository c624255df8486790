use scheduler::prelude::*;

#[scheduled_job(every = "1m", catch_up_limit = "50")]
async fn job() {}

fn main() {}
