use scheduler::prelude::*;

#[scheduled_job(id = "Daily Report", manual)]
async fn job() {}

fn main() {}
