use scheduler::prelude::*;

#[scheduled_job(manual, on_lost_lease = cancle)]
async fn job() {}

fn main() {}
