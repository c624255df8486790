use scheduler::prelude::*;

#[scheduled_job(manual, overlap = "allow")]
async fn job() {}

fn main() {}
