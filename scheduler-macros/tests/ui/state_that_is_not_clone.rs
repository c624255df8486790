use scheduler::prelude::*;

struct Pool;

#[scheduled_job(manual)]
async fn job(State(_pool): State<Pool>) {}

fn main() {}
