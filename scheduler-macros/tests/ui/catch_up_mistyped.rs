use scheduler::prelude::*;

#[scheduled_job(manual, catch_up = lastest)]
async fn job() {}

fn main() {}
