use scheduler::prelude::*;

#[scheduled_job(manual, on_crash = re_run)]
async fn job() {}

fn main() {}
