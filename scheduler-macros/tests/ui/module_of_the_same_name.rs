use scheduler::prelude::*;

mod job {}

#[scheduled_job(manual)]
async fn job() {}

fn main() {}
