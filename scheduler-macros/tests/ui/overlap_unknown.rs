use scheduler::prelude::*;

#[scheduled_job(manual, overlap = wait)]
async fn job() {}

fn main() {}
