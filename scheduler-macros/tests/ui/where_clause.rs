use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job()
where
    String: Clone,
{
}

fn main() {}
