//! The suites of stores.

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
        $crate::__conformance_cases! { $harness, take:
            a_take_starts_a_pending_row
            a_row_is_taken_once
            of_ten_takers_one_is_granted_a_row
            a_take_repeated_with_its_id_is_granted_again_with_the_same_fence
            a_repeated_take_is_refused_once_its_run_has_ended
            a_row_that_is_not_there_is_not_taken
            a_row_is_neither_due_nor_taken_before_its_time
            a_due_row_says_what_it_is
            a_job_has_one_due_row_at_a_time_its_oldest_occurrence
            due_rows_of_several_jobs_come_oldest_occurrence_first_up_to_the_limit
            a_row_whose_key_is_held_is_not_due_and_goes_on_waiting
            a_waiting_retry_holds_the_key
            a_waiting_retry_keeps_other_rows_of_its_job_from_being_due
            rows_of_a_paused_job_wait
            a_manual_row_of_a_paused_job_is_due_and_taken
            one_takes_refusal_leaves_the_others_of_its_batch
            of_two_rows_of_one_job_in_a_batch_one_is_taken
            a_row_is_taken_whatever_its_revision_and_watermark
        }
        $crate::__conformance_cases! { $harness, lease:
            a_renewal_keeps_a_run_from_recovery
            a_renewal_counts_from_now
            an_expired_lease_that_still_exists_is_renewed
            a_stale_holder_can_neither_renew_nor_release
            a_renewal_names_its_fence
            a_recovered_lease_is_lost
            a_finished_lease_is_gone
            what_is_lost_is_left_out_of_a_batch_of_renewals
            a_renewal_names_its_leases_and_leaves_the_others
            a_cancel_request_comes_with_the_renewal
            a_cancel_request_is_of_one_run
            what_does_not_run_is_not_asked_to_stop
            a_cancelled_run_ends_cancelled_and_earns_no_attempt
            a_cancelled_run_that_succeeded_has_succeeded
        }
        $crate::__conformance_cases! { $harness, finish:
            an_outcome_is_written_with_what_the_job_said
            every_final_status_is_written
            an_outcome_with_another_fence_is_fenced
            an_outcome_of_no_row_is_fenced
            a_final_row_is_not_overwritten
            an_outcome_repeated_after_a_lost_reply_is_success
            a_repeated_outcome_names_the_attempt_that_followed_and_adds_none
            the_next_attempt_is_inserted_with_the_outcome
            a_next_attempt_without_the_key_holds_nothing
            a_manual_runs_next_attempt_keeps_origin_parameters_and_who_asked
            one_rows_conflict_in_a_batch_is_that_rows_alone
            an_outcome_twice_in_one_batch_is_written_once
            an_outcome_is_written_though_the_lease_has_expired
            an_abandoned_row_takes_its_owners_outcome_late
            an_outcome_is_too_late_once_another_attempt_exists
            a_stranger_can_not_write_an_abandoned_rows_outcome
            of_ten_writers_of_one_outcome_one_inserts_the_next_attempt
        }
        $crate::__conformance_cases! { $harness, recover:
            a_run_whose_lease_expired_is_abandoned
            a_run_whose_lease_lives_is_left
            a_lease_expires_with_time_alone
            a_run_is_recovered_once
            of_ten_who_recover_one_abandons_a_run
            a_lost_run_is_followed_where_its_lease_says_so
            a_lost_run_that_held_nothing_is_followed_by_one_that_holds_nothing
            the_last_attempt_is_not_followed
            a_taken_run_is_recovered_as_its_take_says
            a_cancelled_run_that_is_lost_earns_no_attempt
            a_finished_run_is_not_recovered
            a_recovery_goes_as_far_as_its_limit
        }
    };
}
