use scheduler::prelude::*;

#[scheduled_job(at = "2026-02-30T00:00:00Z")]
async fn job() {}

fn main() {}
