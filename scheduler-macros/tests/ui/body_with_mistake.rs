use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job() -> String {
    5
}

fn main() {}
