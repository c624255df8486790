use scheduler::prelude::*;

#[scheduled_job(manual)]
async extern "C" fn job() {}

fn main() {}
