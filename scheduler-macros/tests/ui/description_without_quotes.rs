use scheduler::prelude::*;

#[scheduled_job(manual, description = report)]
async fn job() {}

fn main() {}
