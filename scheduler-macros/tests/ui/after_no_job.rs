use scheduler::prelude::*;

#[scheduled_job(after = [])]
async fn job() {}

fn main() {}
