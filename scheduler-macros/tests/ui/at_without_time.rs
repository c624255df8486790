use scheduler::prelude::*;

#[scheduled_job(at = "2026-12-31")]
async fn job() {}

fn main() {}
