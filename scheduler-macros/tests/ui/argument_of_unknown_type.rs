use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job(name: String) {}

fn main() {}
