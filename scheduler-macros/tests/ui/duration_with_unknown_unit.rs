use scheduler::prelude::*;

#[scheduled_job(manual, timeout = "5M")]
async fn job() {}

fn main() {}
