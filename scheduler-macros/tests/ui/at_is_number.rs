use scheduler::prelude::*;

#[scheduled_job(at = 1798758000)]
async fn job() {}

fn main() {}
