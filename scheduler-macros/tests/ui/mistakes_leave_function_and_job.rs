use scheduler::prelude::*;

#[scheduled_job(corn = "0 0 * * *")]
async fn job() -> String {
    String::new()
}

fn main() {
    let _: Vec<Job> = jobs![job];
    let _ = job();
}
