use scheduler::prelude::*;

#[scheduled_job(after = ["extract", "Load data"])]
async fn job() {}

fn main() {}
