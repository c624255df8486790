use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job<'a>() {}

fn main() {}
