use scheduler::prelude::*;

#[scheduled_job(at = "2026-12-31T23:00:00")]
async fn job() {}

fn main() {}
