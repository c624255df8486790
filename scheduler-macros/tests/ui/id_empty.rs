use scheduler::prelude::*;

#[scheduled_job(id = "", manual)]
async fn job() {}

fn main() {}
