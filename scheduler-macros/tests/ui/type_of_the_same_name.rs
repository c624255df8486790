use scheduler::prelude::*;

#[allow(non_camel_case_types)]
struct job;

#[scheduled_job(manual)]
async fn job() {}

fn main() {}
