use scheduler::prelude::*;

#[scheduled_job(manual)]
fn job() {}

fn main() {}
