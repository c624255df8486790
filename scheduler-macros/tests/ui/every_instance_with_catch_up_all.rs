use scheduler::prelude::*;

#[scheduled_job(every = "1m", every_instance = true, catch_up = all)]
async fn job() {}

fn main() {}
