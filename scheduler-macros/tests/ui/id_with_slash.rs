use scheduler::prelude::*;

#[scheduled_job(id = "a/../b", manual)]
async fn job() {}

fn main() {}
