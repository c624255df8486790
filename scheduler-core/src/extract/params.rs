//! A manual request's parameters, typed.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::FromContext;
use crate::{context::JobContext, outcome::JobError};

/// A manual request's parameters as a `T`.
///
/// An execution without parameters, as every scheduled one is, reads `T` from `null`, else from `{}`: so `Option<T>`
/// is `None`, and a struct whose fields all have `#[serde(default)]` is its default. What does not fit fails the
/// attempt for good; a trigger over the API is refused before a row is written. A job with a schedule must be able to run
/// without parameters, or `build()` refuses it: `Option<Params<T>>` is `None` then, whatever `T` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromContext for Params<T> {
    fn from_context(context: &JobContext) -> Result<Self, JobError> {
        read(context.params()).map(Self).map_err(|error| JobError::permanent(refusal(&error)))
    }

    fn check_params(params: Option<&Value>) -> Result<(), String> {
        read::<T>(params).map(drop).map_err(|error| refusal(&error))
    }
}

impl<T: DeserializeOwned> FromContext for Option<Params<T>> {
    fn from_context(context: &JobContext) -> Result<Self, JobError> {
        context.params().map(|_| Params::from_context(context)).transpose()
    }

    fn check_params(params: Option<&Value>) -> Result<(), String> {
        params.map_or(Ok(()), |params| Params::<T>::check_params(Some(params)))
    }
}

fn read<T: DeserializeOwned>(params: Option<&Value>) -> Result<T, serde_json::Error> {
    match params {
        Some(params) => T::deserialize(params),
        None => T::deserialize(&Value::Null).or_else(|_| T::deserialize(&Value::Object(serde_json::Map::new()))),
    }
}

fn refusal(error: &serde_json::Error) -> String {
    format!("the parameters do not fit the job: {error}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read by serde")]
    struct Range {
        #[serde(default)]
        days: u32,
    }

    #[test]
    fn absent_params_are_none_or_the_default() {
        assert!(read::<Option<u32>>(None).expect("null is none").is_none());
        assert!(read::<Range>(None).is_ok());
    }

    #[test]
    fn params_that_do_not_fit_say_why() {
        let error = Params::<Range>::check_params(Some(&json!({"days": "three"}))).expect_err("a text is no number");
        assert!(error.contains("invalid type: string"), "{error}");
        assert!(Params::<u32>::check_params(None).is_err());
        assert!(Option::<Params<u32>>::check_params(None).is_ok());
        assert!(Option::<Params<u32>>::check_params(Some(&json!("three"))).is_err());
    }
}
