//! Settles claims whose reply was lost for good (R8).

use std::{sync::Arc, time::Duration};

use tracing::warn;

use crate::{
    engine::{Engine, Unconfirmed, limited},
    job::OverlapPolicy,
    status::{Reason, Status},
    store::{ClaimRecord, Finish, NextAttempt, StoreError},
};

/// How long a trip may take.
const LIMIT: Duration = Duration::from_secs(5);

/// How long a claim that is not there may still arrive: a statement that was sent and never answered.
const ARRIVAL: Duration = Duration::from_secs(60);

/// Looks each of them up. One that committed is ended as `abandoned (unknown_commit)`: as its body never started, the
/// next attempt follows whatever `on_crash` says.
pub(crate) async fn run_once(engine: &Arc<Engine>) {
    for claim in engine.unconfirmed() {
        match settle(engine, &claim).await {
            Ok(true) => engine.confirm(claim.lost.claim_id),
            Ok(false) => {}
            Err(error) => engine.health.store_failed(&error),
        }
    }
}

/// `true` when the claim needs no further look.
async fn settle(engine: &Arc<Engine>, claim: &Unconfirmed) -> Result<bool, StoreError> {
    let found = limited(&*engine.clock, LIMIT, "look a claim up", engine.store.find_claim(&claim.lost)).await?;
    let Some(ClaimRecord { grant, status, .. }) = found else {
        return Ok(engine.clock.uptime().saturating_sub(claim.given_up_at) > ARRIVAL);
    };
    // Recovery may have been first, which gives a row without a body no next attempt.
    if !matches!(status, Status::Running | Status::Abandoned) {
        return Ok(true);
    }
    let settings = engine.jobs.get(claim.job).settings();
    warn!(job_id = %settings.id, execution_id = %grant.execution_id, "a claim whose answer was lost had been written: its body never started, the next attempt follows");
    let finish = Finish {
        execution_id: grant.execution_id,
        fence: grant.fence,
        status: Status::Abandoned,
        reason: Some(Reason::UnknownCommit),
        message: Some("the answer to its claim was lost, and its body never started".to_owned()),
        error_trace: None,
        result_data: None,
        next: Some(NextAttempt { after: Duration::ZERO, holds_key: settings.overlap != OverlapPolicy::Allow }),
    };
    limited(&*engine.clock, LIMIT, "finish a claim", engine.store.finish(&[finish])).await?;
    engine.look.notify_one();
    Ok(true)
}
