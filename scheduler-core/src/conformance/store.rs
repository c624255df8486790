//! The suite of stores.

/// Runs the suite of stores: one test a case, each with a harness of its own.
///
/// The argument is an async function that makes a [`StoreHarness`](crate::conformance::StoreHarness).
#[macro_export]
macro_rules! store_conformance {
    ($harness:expr) => {
        $crate::__conformance_cases! { $harness, claim:
            a_claim_writes_its_running_row
            a_claim_is_granted_a_lease
            an_occurrence_is_claimed_once
            of_ten_claimers_one_is_granted_an_occurrence
            a_claim_repeated_with_its_id_is_granted_again_with_the_same_fence
            a_repetition_within_one_batch_is_granted_again
            a_repeated_claim_is_refused_once_its_run_has_ended
            a_repeated_claim_is_refused_once_its_run_was_recovered
            a_claimed_occurrence_is_refused_after_the_lease_ended
            a_finished_occurrence_is_refused
            an_occurrence_at_or_below_the_watermark_is_refused
            an_unknown_job_claims_nothing
            a_superseded_revision_claims_nothing
            a_paused_job_claims_nothing
            a_paused_job_claims_nothing_even_past_the_pauses_end
            a_resumed_job_claims_again
            an_early_claim_is_refused_and_told_how_long_to_wait
            a_claim_may_come_fifty_milliseconds_early
            a_claim_past_its_deadline_is_refused
            an_occurrence_that_meets_a_holder_is_skipped_under_skip
            a_skipped_occurrence_is_decided
            already_decided_is_asked_before_everything_else
            jobs_hold_keys_of_their_own
            under_allow_occurrences_run_side_by_side_and_hold_nothing
            a_finished_run_frees_the_key
            a_recovered_run_frees_the_key
            fences_grow_with_each_grant
            one_claims_refusal_leaves_the_others_of_its_batch
            claims_of_one_job_in_a_batch_are_decided_in_order
            an_empty_batch_of_claims_has_no_outcomes
            a_claim_that_was_never_made_is_not_found
            a_lost_claim_is_found_by_its_id
            a_found_claim_tells_how_much_lease_is_left
            a_refused_claim_is_not_found
            attached_handles_share_the_rows
        }
    };
}
