use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job(_name: String) {}

fn main() {}
