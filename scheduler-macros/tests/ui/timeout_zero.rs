use scheduler::prelude::*;

#[scheduled_job(manual, timeout = "0s")]
async fn job() {}

fn main() {}
