use scheduler::prelude::*;

#[scheduled_job(manual, tags = "hr")]
async fn job() {}

fn main() {}
