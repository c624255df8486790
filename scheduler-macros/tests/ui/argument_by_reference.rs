use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job(context: &JobContext) {}

fn main() {}
