use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job(_name: impl Into<String>) {}

fn main() {}
