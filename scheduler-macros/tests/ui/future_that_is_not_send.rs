use scheduler::prelude::*;

#[scheduled_job(manual)]
async fn job() {
    let counter = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(counter);
}

fn main() {}
