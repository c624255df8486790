use scheduler::prelude::*;

#[scheduled_job(manual, crate = "scheduler")]
async fn job() {}

fn main() {}
