use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job(_attempt: Attempt, _names: Vec<String>) {}

fn main() {}
