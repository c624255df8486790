use scheduler::prelude::*;

#[scheduled_job(every = "1m", every_instance, on_crash = rerun)]
async fn job() {}

fn main() {}
