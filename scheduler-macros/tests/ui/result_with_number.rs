use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job() -> Result<u64, JobError> {
    Ok(5)
}

fn main() {}
