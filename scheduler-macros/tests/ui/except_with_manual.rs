use scheduler::prelude::*;

#[scheduled_job(manual, except = "id-holidays")]
async fn job() {}

fn main() {}
