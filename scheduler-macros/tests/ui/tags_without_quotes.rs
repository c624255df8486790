use scheduler::prelude::*;

#[scheduled_job(manual, tags = ["hr", daily, 5])]
async fn job() {}

fn main() {}
