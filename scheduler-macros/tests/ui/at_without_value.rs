use scheduler::prelude::*;

#[scheduled_job(at)]
async fn job() {}

fn main() {}
