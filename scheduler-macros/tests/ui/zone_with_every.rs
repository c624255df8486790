use scheduler::prelude::*;

#[scheduled_job(every = "5m", tz = "Asia/Jakarta")]
async fn job() {}

fn main() {}
