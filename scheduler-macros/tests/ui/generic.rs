use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job<T: Default>() {}

fn main() {}
