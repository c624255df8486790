use scheduler::prelude::*;

#[scheduled_job(manual, start_deadline = "")]
async fn job() {}

fn main() {}
