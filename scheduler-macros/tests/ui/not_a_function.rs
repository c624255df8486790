use scheduler::prelude::*;

#[scheduled_job(manual)]
struct Job;

fn main() {}
