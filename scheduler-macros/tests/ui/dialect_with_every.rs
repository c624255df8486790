use scheduler::prelude::*;

#[scheduled_job(every = "5m", dialect = "apscheduler")]
async fn job() {}

fn main() {}
