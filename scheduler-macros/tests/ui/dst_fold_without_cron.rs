use scheduler::prelude::*;

#[scheduled_job(every = "5m", dst_fold = both)]
async fn job() {}

fn main() {}
