use scheduler::prelude::*;

#[scheduled_job(manual, timout = "8m")]
async fn job() {}

fn main() {}
