use scheduler::prelude::*;

#[scheduled_job(after = ["extract", "load", "extract"])]
async fn job() {}

fn main() {}
