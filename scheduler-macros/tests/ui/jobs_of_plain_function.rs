use scheduler::prelude::*;

async fn plain() {}

struct Plain;

fn main() {
    let _ = jobs![Plain];
    let _ = plain();
}
