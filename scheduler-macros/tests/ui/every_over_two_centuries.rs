use scheduler::prelude::*;

#[scheduled_job(every = "80000d")]
async fn job() {}

fn main() {}
