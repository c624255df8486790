use scheduler::prelude::*;

#[scheduled_job(corn = "0 0 * * *")]
async fn job() {}

fn main() {}
