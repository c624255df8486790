use scheduler::prelude::*;

#[scheduled_job(id = concat!("a", "b"), manual)]
async fn job() {}

fn main() {}
