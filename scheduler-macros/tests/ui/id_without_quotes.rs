use scheduler::prelude::*;

#[scheduled_job(id = daily_report, manual)]
async fn job() {}

fn main() {}
