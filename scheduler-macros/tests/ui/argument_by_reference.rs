use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job(_context: &JobContext) {}

fn main() {}
