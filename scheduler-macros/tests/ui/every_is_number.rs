use scheduler::prelude::*;

#[scheduled_job(every = 90)]
async fn job() {}

fn main() {}
