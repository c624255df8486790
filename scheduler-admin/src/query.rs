//! The query's parameters.

use std::{ops::RangeInclusive, time::Duration};

use axum::{extract::Query as Pairs, http::Uri};
use scheduler_core::status::Status;
use scheduler_cron::parse_duration;

use crate::error::ApiError;

/// The parameters of a request. Names that the endpoint does not know are left alone, as the predecessor did.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Result<Self, ApiError> {
        let pairs = Pairs::try_from_uri(uri).map_err(|_| ApiError::parameter("query", "can't be read"))?;
        Ok(Self(pairs.0))
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(given, _)| given == name);
        let first = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            None => Ok(first),
            Some(_) => Err(ApiError::parameter(name, "is given more than once")),
        }
    }

    /// A whole number within a range.
    pub(crate) fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.get(name)? else { return Ok(None) };
        // `u64::from_str` takes a sign, too.
        let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse().ok()).filter(|number| range.contains(number));
        let problem = || match *range.end() {
            u64::MAX => format!("must be a whole number from {}", range.start()),
            end => format!("must be a whole number from {} to {end}", range.start()),
        };
        number.map(Some).ok_or_else(|| ApiError::parameter(name, problem()))
    }

    /// A duration within a range of whole seconds, such as `30s`.
    pub(crate) fn duration(&self, name: &str, seconds: RangeInclusive<u64>) -> Result<Option<Duration>, ApiError> {
        let Some(text) = self.get(name)? else { return Ok(None) };
        let range = Duration::from_secs(*seconds.start())..=Duration::from_secs(*seconds.end());
        match parse_duration(text) {
            Ok(duration) if range.contains(&duration) => Ok(Some(duration)),
            Ok(_) => Err(ApiError::parameter(name, format!("must be from {}s to {}s", seconds.start(), seconds.end()))),
            Err(error) => Err(ApiError::parameter(name, format!("is no duration: {error}; {}", error.help()))),
        }
    }

    /// Statuses, separated by commas; empty where the parameter is not given.
    pub(crate) fn statuses(&self) -> Result<Vec<Status>, ApiError> {
        let Some(text) = self.get("status")? else { return Ok(Vec::new()) };
        let words = text.split(',').map(str::trim);
        words.map(str::parse).collect::<Result<_, _>>().map_err(|error| {
            let allowed: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
            ApiError::parameter("status", format!("has an {error}; these are: {}", allowed.join(", ")))
        })
    }
}
