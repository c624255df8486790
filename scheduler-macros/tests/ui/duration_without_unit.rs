use scheduler::prelude::*;

#[scheduled_job(manual, timeout = "90")]
async fn job() {}

fn main() {}
