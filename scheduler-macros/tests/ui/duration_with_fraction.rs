use scheduler::prelude::*;

#[scheduled_job(manual, timeout = "1.5h")]
async fn job() {}

fn main() {}
