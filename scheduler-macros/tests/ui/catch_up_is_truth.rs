use scheduler::prelude::*;

#[scheduled_job(manual, catch_up = true)]
async fn job() {}

fn main() {}
