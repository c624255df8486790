use scheduler::prelude::*;

#[scheduled_job(every = "1m", every_instance = yes)]
async fn job() {}

fn main() {}
