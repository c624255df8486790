use scheduler::prelude::*;

#[scheduled_job(id = "Daily Report", cron = "60 0 * * *", tz = "Asia/Jakata", retries = "3", retries = 3, timout = "8m", overlap = alow, lease_ttl = "1s")]
fn job(_name: &str) {}

fn main() {}
