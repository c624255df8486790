use scheduler::prelude::*;

#[scheduled_job(manual, enabled = "false")]
async fn job() {}

fn main() {}
