use scheduler::prelude::*;

#[scheduled_job(after = "extract", every_instance)]
async fn job() {}

fn main() {}
