use scheduler::prelude::*;

#[scheduled_job(dialect = "posix", cron = "0 9 * * *")]
async fn job() {}

fn main() {}
