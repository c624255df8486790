//! The contract's own words, in the words of a language.

use scheduler_core::{
    job::Source,
    occurrence::Origin,
    status::{Reason, Status},
    store::Action,
};

use super::Words;

impl Words {
    /// A status in words.
    pub(in crate::dashboard) fn status_of(&self, status: Status) -> &'static str {
        match status {
            Status::Pending => self.waiting,
            Status::Running => self.running,
            Status::Succeeded => self.succeeded,
            Status::Failed => self.failed,
            Status::TimedOut => self.timed_out,
            Status::Cancelled => self.cancelled,
            Status::Abandoned => self.abandoned,
            Status::Skipped => self.skipped,
            Status::Missed => self.missed,
            // The enum may grow.
            other => other.as_str(),
        }
    }

    /// An origin in words.
    pub(in crate::dashboard) fn origin_of(&self, origin: Origin) -> &'static str {
        match origin {
            Origin::Schedule => self.origin_schedule,
            Origin::CatchUp => self.origin_catch_up,
            Origin::Backfill => self.origin_backfill,
            Origin::Manual => self.origin_manual,
            Origin::Dependency => self.origin_dependency,
            // The enum may grow.
            other => other.as_str(),
        }
    }

    /// A reason in words.
    pub(in crate::dashboard) fn reason_of(&self, reason: Reason) -> &'static str {
        match reason {
            Reason::Panic => self.reason_panic,
            Reason::LeaseLost => self.reason_lease_lost,
            Reason::Shutdown => self.reason_shutdown,
            Reason::InstanceLost => self.reason_instance_lost,
            Reason::ByRequest => self.reason_by_request,
            Reason::UnknownCommit => self.reason_unknown_commit,
            Reason::NothingToDo => self.reason_nothing_to_do,
            Reason::Overlap => self.reason_overlap,
            Reason::Paused => self.reason_paused,
            Reason::Upstream => self.reason_upstream,
            Reason::QueueFull => self.reason_queue_full,
            Reason::Superseded => self.reason_superseded,
            Reason::Deadline => self.reason_deadline,
            Reason::Coalesced => self.reason_coalesced,
            Reason::CatchUpLimit => self.reason_catch_up_limit,
            Reason::Timeout => self.reason_timeout,
            // The enum may grow.
            other => other.as_str(),
        }
    }

    /// What a setting comes from, in words.
    pub(in crate::dashboard) fn source_of(&self, source: Source) -> &'static str {
        match source {
            Source::Default => self.of_default,
            Source::Attribute => self.of_attribute,
            Source::Builder => self.of_builder,
            // The enum may grow.
            other => other.as_str(),
        }
    }

    /// What went wrong, by its code.
    pub(in crate::dashboard) fn code_of(&self, code: &str) -> &'static str {
        match code {
            "unauthenticated" => self.code_unauthenticated,
            "forbidden" => self.code_forbidden,
            "not_found" => self.code_not_found,
            "method_not_allowed" => self.code_method_not_allowed,
            "invalid_parameter" => self.code_invalid_parameter,
            "invalid_body" | "unsupported_media_type" => self.code_invalid_body,
            "body_too_large" => self.code_too_large,
            "already_running" => self.code_already_running,
            "idempotency_conflict" => self.code_idempotency_conflict,
            "already_paused" => self.code_already_paused,
            "not_paused" => self.code_not_paused,
            "already_ended" => self.code_already_ended,
            "not_retryable" => self.code_not_retryable,
            "already_decided" => self.code_already_decided,
            "rate_limited" => self.code_rate_limited,
            "unavailable" => self.code_unavailable,
            _ => self.code_internal,
        }
    }

    /// An action in words.
    pub(in crate::dashboard) fn action_of(&self, action: Action) -> &'static str {
        match action {
            Action::Trigger => self.run_now,
            Action::Pause => self.pause,
            Action::Resume => self.resume,
            Action::Skip => self.skip,
            Action::Backfill => self.backfill,
            Action::Cancel => self.cancel,
            Action::Retry => self.retry,
            // The enum may grow.
            other => other.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dashboard::words::{ENGLISH, INDONESIAN},
        error::Code,
    };

    #[test]
    fn each_word_of_the_contract_is_told_in_both_languages() {
        for words in [&ENGLISH, &INDONESIAN] {
            let told = |word: &str, told: &str| assert!(!told.contains('_') && !told.is_empty(), "{word}: {told}");
            Status::ALL.iter().for_each(|one| told(one.as_str(), words.status_of(*one)));
            Origin::ALL.iter().for_each(|one| told(one.as_str(), words.origin_of(*one)));
            Reason::ALL.iter().for_each(|one| told(one.as_str(), words.reason_of(*one)));
            Action::ALL.iter().for_each(|one| told(one.as_str(), words.action_of(*one)));
            Source::ALL.iter().for_each(|one| told(one.as_str(), words.source_of(*one)));
            for code in Code::ALL.iter().filter(|code| **code != Code::Internal) {
                assert_ne!(words.code_of(code.as_str()), words.code_internal, "{}", code.as_str());
            }
        }
        // Where a variant is added and no word, its own is shown, which is English.
        for origin in Origin::ALL {
            assert_ne!(INDONESIAN.origin_of(*origin), origin.as_str());
        }
        for reason in Reason::ALL.iter().filter(|reason| **reason != Reason::Panic) {
            assert_ne!(INDONESIAN.reason_of(*reason), reason.as_str());
        }
    }
}
