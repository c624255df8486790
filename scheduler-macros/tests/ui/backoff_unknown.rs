use scheduler::prelude::*;

#[scheduled_job(manual, backoff = linear)]
async fn job() {}

fn main() {}
