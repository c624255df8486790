use scheduler::prelude::*;

#[scheduled_job(id = "openapi.json", manual)]
async fn job() {}

fn main() {}
