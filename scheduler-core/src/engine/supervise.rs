//! Polls a body as long as it may run (R5, R18).

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;

use super::{
    panic::{Panic, catch},
    running::RunControl,
};
use crate::{clock::Clock, outcome::JobResult};

/// How a body ended.
#[derive(Debug)]
pub(crate) enum End {
    /// By itself.
    Returned(JobResult),
    /// By a panic, in the body or in what it drops.
    Panicked(Panic),
    /// It was dropped at an await, as it did not stop when it was told.
    Aborted,
    /// Its lease may have expired: it was not polled again.
    LeaseLost,
}

/// Polls the body until it ends or must end. Its first poll, too, comes only while the lease is safe.
pub(crate) async fn supervise(
    body: impl FnOnce() -> BoxFuture<'static, JobResult>,
    control: Arc<RunControl>,
    clock: Arc<dyn Clock>,
    margin: Duration,
) -> End {
    if control.lease_left(clock.uptime()) <= margin {
        return End::LeaseLost;
    }
    let mut body = match catch(body) {
        Ok(body) => Some(body),
        Err(panic) => return End::Panicked(panic),
    };
    let mut abort = pin!(control.abort.cancelled());
    let end = poll_fn(|context| {
        if control.is_lease_over(clock.uptime()) {
            return Poll::Ready(End::LeaseLost);
        }
        if abort.as_mut().poll(context).is_ready() {
            return Poll::Ready(if control.is_lease_over(clock.uptime()) { End::LeaseLost } else { End::Aborted });
        }
        poll_body(body.as_mut().expect("polled until it ends").as_mut(), context)
    })
    .await;
    // A future's drop is the user's code as well.
    match catch(move || drop(body.take())) {
        Err(panic) if matches!(end, End::Returned(Ok(_))) => End::Panicked(panic),
        _ => end,
    }
}

fn poll_body(body: Pin<&mut (dyn Future<Output = JobResult> + Send)>, context: &mut Context<'_>) -> Poll<End> {
    match catch(|| body.poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(result)) => Poll::Ready(End::Returned(result)),
        Err(panic) => Poll::Ready(End::Panicked(panic)),
    }
}
