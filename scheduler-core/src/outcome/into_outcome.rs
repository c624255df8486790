//! The types that a body may return.

use std::error::Error;

use serde::Serialize;

use super::{JobError, JobResult, Outcome, Verdict};

/// A type that a job's body may return.
///
/// These are: `()`, `String`, `&'static str`, [`Json`], [`Outcome`], and a `Result` of those with any error that
/// becomes a `Box<dyn Error + Send + Sync>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a result of a job",
    label = "a job can't return this",
    note = "a job returns `()`, `String`, `Json<T>` where `T: Serialize`, `Outcome`, or a `Result` of those with an error that boxes",
    note = "`JobResult` is `Result<Outcome, JobError>`"
)]
pub trait IntoOutcome {
    /// The outcome, or why the attempt failed.
    fn into_outcome(self) -> JobResult;
}

/// A result that the history keeps as `result_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl IntoOutcome for () {
    fn into_outcome(self) -> JobResult {
        Ok(Outcome::plain(None))
    }
}

impl IntoOutcome for String {
    fn into_outcome(self) -> JobResult {
        Ok(Outcome::plain(Some(self)))
    }
}

impl IntoOutcome for &'static str {
    fn into_outcome(self) -> JobResult {
        Ok(Outcome::plain(Some(self.to_owned())))
    }
}

impl<T: Serialize> IntoOutcome for Json<T> {
    fn into_outcome(self) -> JobResult {
        Outcome::new(Verdict::Succeeded, None).with_data(self.0).checked()
    }
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> JobResult {
        self.checked()
    }
}

impl<T: IntoOutcome, E: Into<Box<dyn Error + Send + Sync>>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> JobResult {
        match self {
            Ok(value) => value.into_outcome(),
            Err(error) => Err(JobError::from_boxed(error.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, io, time::Duration};

    use super::*;
    use crate::outcome::Retry;

    #[test]
    fn every_result_type_says_its_outcome() {
        assert_eq!(().into_outcome().expect("succeeds").verdict(), Verdict::Succeeded);
        assert_eq!("done".into_outcome().expect("succeeds").message(), Some("done"));
        assert_eq!(String::from("done").into_outcome().expect("succeeds").message(), Some("done"));
        assert_eq!(Json([1, 2]).into_outcome().expect("succeeds").data(), Some(&serde_json::json!([1, 2])));
        let failed = Ok::<_, JobError>(Outcome::failed("no")).into_outcome().expect("an outcome");
        assert_eq!(failed.verdict(), Verdict::Failed);
    }

    #[test]
    fn a_result_that_is_no_json_fails_the_run_for_good() {
        let error = Json(HashMap::from([((1, 2), 3)])).into_outcome().expect_err("keys must be strings");
        assert_eq!(error.retry(), Retry::Never);
        assert!(error.to_string().contains("can't be written as JSON"), "{error}");
    }

    #[test]
    fn an_error_keeps_its_retry_and_its_sources() {
        let delay = Duration::from_secs(5);
        let error = Err::<(), _>(JobError::retry_after(delay)).into_outcome().expect_err("fails");
        assert_eq!(error.retry(), Retry::After(delay));

        let error = Err::<(), _>(io::Error::other("inner")).into_outcome().expect_err("fails");
        assert_eq!((error.retry(), error.to_string().as_str()), (Retry::BySettings, "inner"));
        assert!(Err::<(), _>("text").into_outcome().is_err());
    }
}
