use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job(name: impl Into<String>) {}

fn main() {}
