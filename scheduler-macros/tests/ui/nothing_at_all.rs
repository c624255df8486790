use scheduler::prelude::*;

#[scheduled_job]
async fn job() {}

fn main() {}
