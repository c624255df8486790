use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job(attempt: Attempt, names: Vec<String>) {}

fn main() {}
