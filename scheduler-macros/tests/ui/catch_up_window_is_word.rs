use scheduler::prelude::*;

#[scheduled_job(manual, catch_up_window = hour)]
async fn job() {}

fn main() {}
