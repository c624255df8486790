use scheduler::prelude::*;

#[scheduled_job(every = "1m", catch_up_window = "1h", every_instance)]
async fn job() {}

fn main() {}
