use scheduler::prelude::*;

#[scheduled_job(manual, retries = "3")]
async fn job() {}

fn main() {}
