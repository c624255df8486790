use scheduler::prelude::*;

#[scheduled_job(every)]
async fn job() {}

fn main() {}
