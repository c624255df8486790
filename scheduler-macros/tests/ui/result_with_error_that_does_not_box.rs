use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job() -> Result<(), u64> {
    Err(5)
}

fn main() {}
