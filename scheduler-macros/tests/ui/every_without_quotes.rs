use scheduler::prelude::*;

#[scheduled_job(every = 5m)]
async fn job() {}

fn main() {}
