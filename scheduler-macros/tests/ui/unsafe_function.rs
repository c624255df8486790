use scheduler::prelude::*;

#[scheduled_job(manual)]
async unsafe fn job() {}

fn main() {}
