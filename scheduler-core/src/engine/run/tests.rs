use super::*;
use crate::{
    job::Job,
    outcome::{IntoOutcome as _, Json},
};

/// The outcome of a first attempt of three, whose body has taken its token.
fn ended(end: End, stop: Option<Stop>) -> Finish {
    ended_with(end, stop, true)
}

fn ended_with(end: End, stop: Option<Stop>, took_token: bool) -> Finish {
    let job = Job::builder("job").manual().timeout(Duration::from_secs(9)).run(|| async {});
    let scheduled_at = DateTime::UNIX_EPOCH;
    let (execution_id, fence) = (ExecutionId(1), FencingToken(1));
    outcome(
        job.settings(),
        &Run { execution_id, fence, attempt: 1, max_attempts: 3, scheduled_at, took_token },
        end,
        stop,
    )
}

const STOPS: [Stop; 4] = [Stop::LeaseLost, Stop::Timeout, Stop::ByRequest, Stop::Shutdown];

/// How a run ends that was told to stop for this.
fn stopped(stop: Stop) -> (Status, Option<Reason>) {
    match stop {
        Stop::LeaseLost => (Status::Failed, Some(Reason::LeaseLost)),
        Stop::Timeout => (Status::TimedOut, None),
        Stop::ByRequest => (Status::Cancelled, Some(Reason::ByRequest)),
        Stop::Shutdown => (Status::Cancelled, Some(Reason::Shutdown)),
    }
}

fn how(finish: &Finish) -> (Status, Option<Reason>) {
    (finish.status, finish.reason)
}

#[test]
fn what_was_dropped_has_not_succeeded() {
    for stop in STOPS {
        assert_eq!(how(&ended(End::Aborted, Some(stop))), stopped(stop));
    }
    for end in [End::Aborted, End::LeaseLost] {
        let finish = ended(end, None);
        assert_eq!(how(&finish), (Status::Failed, Some(Reason::LeaseLost)));
        assert!(finish.next.is_some());
    }
}

/// R9: what a body cut short by its token says nothing of is what stopped it.
#[test]
fn work_that_is_cut_short_by_its_token_has_not_succeeded() {
    let returned = || [().into_outcome(), "half".into_outcome(), Ok::<_, JobError>(()).into_outcome()];
    for stop in STOPS {
        for result in returned() {
            assert_eq!(how(&ended(End::Returned(result), Some(stop))), stopped(stop));
        }
    }
    assert!(ended(End::Returned(().into_outcome()), Some(Stop::Timeout)).next.is_some(), "it is retried");
    for result in returned() {
        assert_eq!(how(&ended(End::Returned(result), None)), (Status::Succeeded, None));
    }
}

#[test]
fn a_body_that_never_took_its_token_was_not_cut_short() {
    for stop in STOPS {
        let finish = ended_with(End::Returned("done".into_outcome()), Some(stop), false);
        assert_eq!((how(&finish), finish.message.as_deref()), ((Status::Succeeded, None), Some("done")));
    }
}

#[test]
fn what_a_body_says_of_itself_counts_and_is_said_to_be_after_the_stop() {
    let said = |finish: &Finish| finish.message.clone().expect("a message").contains("after it was told to stop");
    for stop in STOPS {
        for result in [Outcome::succeeded("in the end").into_outcome(), Json(1).into_outcome()] {
            let finish = ended(End::Returned(result), Some(stop));
            assert_eq!((how(&finish), said(&finish)), ((Status::Succeeded, None), true));
        }
        let finish = ended(End::Returned(Err(JobError::new("half-way"))), Some(stop));
        if stop == Stop::ByRequest {
            // R9: it was cancelled, with the error in its message, and nothing follows.
            assert_eq!((how(&finish), finish.next), (stopped(stop), None));
            assert_eq!(finish.message.as_deref(), Some("half-way"));
        } else {
            assert_eq!((how(&finish), said(&finish)), ((Status::Failed, None), true));
            assert!(finish.next.is_some());
        }
    }
}
