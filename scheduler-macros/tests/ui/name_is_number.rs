use scheduler::prelude::*;

#[scheduled_job(manual, name = 5)]
async fn job() {}

fn main() {}
