use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job() -> Vec<String> {
    Vec::new()
}

fn main() {}
