use scheduler::prelude::*;

#[scheduled_job(manual, enabled = 0)]
async fn job() {}

fn main() {}
