use scheduler::prelude::*;

#[scheduled_job(id = "job")]
async fn job() {}

fn main() {}
