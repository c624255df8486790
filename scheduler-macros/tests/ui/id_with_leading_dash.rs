use scheduler::prelude::*;

#[scheduled_job(id = "-job", manual)]
async fn job() {}

fn main() {}
