use scheduler::prelude::*;

#[scheduled_job("30 0 * * *")]
async fn job() {}

fn main() {}
