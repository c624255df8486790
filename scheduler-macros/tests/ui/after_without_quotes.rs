use scheduler::prelude::*;

#[scheduled_job(after = extract)]
async fn job() {}

fn main() {}
