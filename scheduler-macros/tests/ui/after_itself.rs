use scheduler::prelude::*;

#[scheduled_job(after = "job")]
async fn job() {}

fn main() {}
