use scheduler::prelude::*;

#[scheduled_job(manual)]
#[allow(non_snake_case)]
async fn dailyReport() {}

fn main() {}
