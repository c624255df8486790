use scheduler::prelude::*;

#[scheduled_job(manual = true)]
async fn job() {}

fn main() {}
