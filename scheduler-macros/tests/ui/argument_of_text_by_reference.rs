use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job(_name: &str) {}

fn main() {}
