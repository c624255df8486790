use scheduler::prelude::*;

#[scheduled_job(manual, tz = "Asia/Jakarta")]
async fn job() {}

fn main() {}
