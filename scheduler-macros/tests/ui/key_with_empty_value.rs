use scheduler::prelude::*;

#[scheduled_job(manual, retries =, name = "x")]
async fn job() {}

fn main() {}
