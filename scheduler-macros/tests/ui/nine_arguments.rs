use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job(
    _: Attempt,
    _: ScheduledAt,
    _: State<u8>,
    _: State<u16>,
    _: State<u32>,
    _: State<u64>,
    _: State<i8>,
    _: State<i16>,
    _: State<i32>,
) {
}

fn main() {}
