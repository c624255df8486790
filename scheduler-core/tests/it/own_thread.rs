//! The engine's own thread (R25).

use std::sync::{Arc, Mutex, mpsc};

use scheduler_core::{TriggerRequest, job::Job, status::Status};

use crate::rig::{Rig, SECOND, id, rows, soon, told};

/// R25: renewals go on though every worker is blocked.
///
/// Every worker of the service's runtime is blocked for longer than a lease: renewals go on, so nobody takes the run.
#[test]
fn a_blocked_service_keeps_its_leases() {
    let service =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let test = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let rig = Rig::shared();
    let (go_on, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let (tell, mut starts) = told();
    let blocking = Job::builder("job").manual().run(move |context: scheduler_core::context::JobContext| {
        let (tell, gate) = (tell.clone(), Arc::clone(&gate));
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            // Not an await: the worker stands.
            gate.lock().expect("not poisoned").recv().expect("the test lets it go on");
        }
    });
    let scheduler = service.block_on(rig.run([blocking.clone()]));
    test.block_on(async {
        // Before there is another that could run it.
        let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
        starts.next().await;
        let other = rig.run([blocking]).await;
        // Three leases.
        rig.pass(90 * SECOND).await;
        assert_eq!(rows(other.handle(), "job").await[0].status, Status::Running);
        go_on.send(()).expect("the body waits");
        rig.clock.settle().await;
        let ended = rig.rows(other.handle(), "job", 1).await;
        assert_eq!((ended.len(), ended[0].id, ended[0].status), (1, row.id, Status::Succeeded));
        rig.stop(scheduler).await;
        rig.stop(other).await;
    });
}
