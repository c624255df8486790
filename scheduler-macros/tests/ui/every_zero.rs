use scheduler::prelude::*;

#[scheduled_job(every = "0s")]
async fn job() {}

fn main() {}
