use scheduler::prelude::*;

struct Range;

#[scheduled_job(manual)]
async fn job(Params(_range): Params<Range>) {}

fn main() {}
