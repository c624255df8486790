use scheduler::prelude::*;

#[scheduled_job(manual, start_deadline = "0ms")]
async fn job() {}

fn main() {}
