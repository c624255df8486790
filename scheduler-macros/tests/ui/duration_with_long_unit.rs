use scheduler::prelude::*;

#[scheduled_job(manual, timeout = "5 minutes")]
async fn job() {}

fn main() {}
