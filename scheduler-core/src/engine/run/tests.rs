use super::*;
use crate::{
    job::Job,
    outcome::{JobResult, Outcome},
};

/// The outcome of a first attempt of three.
fn ended(end: End, stop: Option<Stop>) -> Finish {
    let job = Job::builder("job").manual().timeout(Duration::from_secs(9)).run(|| async {});
    let scheduled_at = DateTime::UNIX_EPOCH;
    let run = Run { execution_id: ExecutionId(1), fence: FencingToken(1), attempt: 1, max_attempts: 3, scheduled_at };
    outcome(job.settings(), &run, end, stop)
}

#[test]
fn what_was_dropped_has_not_succeeded() {
    for stop in [Stop::LeaseLost, Stop::Timeout, Stop::ByRequest, Stop::Shutdown] {
        assert_ne!(ended(End::Aborted, Some(stop)).status, Status::Succeeded);
    }
    for end in [End::Aborted, End::LeaseLost] {
        let finish = ended(end, None);
        assert_eq!((finish.status, finish.reason), (Status::Failed, Some(Reason::LeaseLost)));
        assert!(finish.next.is_some());
    }
}

#[test]
fn what_succeeded_in_spite_of_being_told_to_stop_has_succeeded() {
    let finish = ended(End::Returned(JobResult::Ok(Outcome::succeeded("in the end"))), Some(Stop::Timeout));
    assert_eq!((finish.status, finish.next), (Status::Succeeded, None));
    let finish = ended(End::Returned(JobResult::Err(JobError::new("half-way"))), Some(Stop::Timeout));
    assert_eq!(finish.status, Status::TimedOut);
}
