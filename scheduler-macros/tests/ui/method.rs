use scheduler::prelude::*;

struct Service;

impl Service {
    #[scheduled_job(manual)]
    async fn job(&self) {}
}

fn main() {}
