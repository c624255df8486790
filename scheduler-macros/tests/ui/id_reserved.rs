use scheduler::prelude::*;

#[scheduled_job(id = "executions", manual)]
async fn job() {}

fn main() {}
