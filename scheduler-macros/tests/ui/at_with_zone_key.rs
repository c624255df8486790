use scheduler::prelude::*;

#[scheduled_job(at = "2026-12-31T23:00:00Z", tz = "Asia/Jakarta")]
async fn job() {}

fn main() {}
