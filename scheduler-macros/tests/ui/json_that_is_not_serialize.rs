use scheduler::prelude::*;

struct Report;

#[scheduled_job(manual)]
async fn job() -> Json<Report> {
    Json(Report)
}

fn main() {}
