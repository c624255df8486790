//! The suites that define a store.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use scheduler_core::{
    conformance::StoreHarness,
    identity::{ExecutionId, JobId},
    store::{Pause, Store},
};
use tokio_postgres::Client;

use crate::server::{Schema, ServiceRole};

struct Harness {
    store: Arc<dyn Store>,
    client: Client,
    _role: Option<ServiceRole>,
    _schema: Arc<Schema>,
}

async fn harness() -> Harness {
    let schema = Schema::new();
    let store = Arc::new(schema.store().await);
    Harness { store, client: schema.client().await, _role: None, _schema: schema }
}

/// The same as a role that owns nothing and has the rights of docs/backends.md alone.
async fn service_harness() -> Harness {
    let schema = Schema::new();
    schema.store().await;
    let role = ServiceRole::without_grants(&schema).await;
    role.grant().await;
    let store = Arc::new(role.lazy());
    store.prepare().await.expect("the rights are enough to start");
    Harness { store, client: schema.client().await, _role: Some(role), _schema: schema }
}

#[async_trait]
impl StoreHarness for Harness {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    async fn pass(&self, time: Duration) {
        // The server's clock can only be waited for.
        tokio::time::sleep(time).await;
    }

    async fn expire_lease(&self, execution: ExecutionId) {
        self.client
            .execute(
                "UPDATE execution_leases SET expires_at = clock_timestamp() - interval '1 millisecond' WHERE execution_id = $1",
                &[&execution.0],
            )
            .await
            .expect("the lease is set");
    }

    async fn set_pause(&self, job: &JobId, pause: Option<Pause>) {
        let (by, reason, until) =
            pause.as_ref().map_or((None, None, None), |pause| (pause.by.clone(), pause.reason.clone(), pause.until));
        self.client
            .execute(
                "UPDATE job_states SET paused_at = $2, paused_by = $3, pause_reason = $4, pause_until = $5 WHERE job_id = $1",
                &[&job.as_str(), &pause.as_ref().map(|pause| pause.at), &by, &reason, &until],
            )
            .await
            .expect("the pause is set");
    }
}

scheduler_core::store_conformance!(harness);
scheduler_core::queue_conformance!(harness);

/// Cases of every suite, as a role with the rights of docs/backends.md alone: all that the store does is done in them. All of them
/// would take as long again as they do above; that no statement needs another right is held by `rights::tests`.
mod as_a_service_role {
    use super::service_harness;

    scheduler_core::__conformance_cases! { service_harness, claim:
        a_claim_repeated_with_its_id_is_granted_again_with_the_same_fence
        an_occurrence_that_meets_a_holder_is_skipped_under_skip
        a_lost_claim_is_found_by_its_id
    }
    scheduler_core::__conformance_cases! { service_harness, take:
        a_take_repeated_with_its_id_is_granted_again_with_the_same_fence
        of_ten_takers_at_once_as_many_rows_run_as_may
    }
    scheduler_core::__conformance_cases! { service_harness, dependants: what_runs_after_a_failure_is_skipped_down_the_chain }
    scheduler_core::__conformance_cases! { service_harness, every_instance: what_waits_for_a_lost_instance_is_cancelled_by_recovery }
    scheduler_core::__conformance_cases! { service_harness, lease: a_cancel_request_comes_with_the_renewal }
    scheduler_core::__conformance_cases! { service_harness, finish:
        an_abandoned_row_takes_its_owners_outcome_late
        of_ten_writers_of_one_outcome_one_inserts_the_next_attempt
    }
    scheduler_core::__conformance_cases! { service_harness, recover: a_lost_run_is_followed_where_its_lease_says_so }
    scheduler_core::__conformance_cases! { service_harness, decide:
        the_newest_range_row_is_seen_and_grows
        a_claim_and_a_pass_at_once_decide_an_occurrence_once
    }
    scheduler_core::__conformance_cases! { service_harness, survey: a_watermark_follows_what_is_decided }
    scheduler_core::__conformance_cases! { service_harness, load: what_is_due_of_some_jobs_is_looked_for_alone }
    scheduler_core::__conformance_cases! { service_harness, manual: another_request_under_a_known_key_is_a_conflict }
    scheduler_core::__conformance_cases! { service_harness, trace_context: each_attempt_at_a_request_is_in_its_trace }
    scheduler_core::__conformance_cases! { service_harness, history:
        what_was_made_started_or_ended_since_an_instant_has_changed
        a_row_reads_the_same_by_every_way
        a_summary_is_of_the_newest_rows_and_of_some_jobs_alone
    }
    scheduler_core::__conformance_cases! { service_harness, control:
        an_older_fingerprint_is_superseded_while_the_newer_is_served
        instances_are_listed_newest_heartbeat_first_and_leave
    }
    scheduler_core::__conformance_cases! { service_harness, revision:
        a_job_that_no_live_instance_announces_is_orphaned
        of_ten_who_switch_at_once_one_does
    }
    scheduler_core::__conformance_cases! { service_harness, pause: a_paused_job_says_who_paused_it_and_claims_nothing }
    scheduler_core::__conformance_cases! { service_harness, backfill: each_occurrence_of_a_backfill_is_answered_in_its_place }
    scheduler_core::__conformance_cases! { service_harness, retry: a_run_that_did_not_succeed_is_followed_by_one_more_attempt }
    scheduler_core::__conformance_cases! { service_harness, cancel: a_cancelled_retry_gives_the_key_up }
    scheduler_core::__conformance_cases! { service_harness, skip: a_skipped_occurrence_has_its_row_ahead_of_its_time }
    scheduler_core::__conformance_cases! { service_harness, prune:
        rows_of_other_jobs_stay_where_one_is_named
        what_was_pruned_can_neither_be_claimed_nor_backfilled
    }
    scheduler_core::__conformance_cases! { service_harness, report:
        the_last_progress_is_what_is_read_by_every_way
        what_an_execution_said_is_pruned_with_it
    }
    scheduler_core::__conformance_cases! { service_harness, audit: the_audit_is_read_by_what_its_entries_are_of }
    scheduler_core::__conformance_cases! { service_harness, queue:
        under_cancel_running_the_later_of_two_waiting_stays
        who_holds_the_key_of_a_waiting_row_is_asked_again_to_stop
    }
}
