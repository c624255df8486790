use scheduler::prelude::*;

#[scheduled_job(manual, colour = "red")]
async fn job() {}

fn main() {}
