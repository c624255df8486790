//! The query's parameters.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use axum::{extract::Query as Pairs, http::Uri};
use chrono::{DateTime, Utc};
use scheduler_core::{identity::JobId, occurrence::UnknownWord};
use scheduler_cron::parse_duration;

use crate::{error::ApiError, time};

/// The parameters of a request. Names that the endpoint does not know are left alone, as the predecessor did.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

/// A range of time, open where an end is not given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeRange {
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
}

/// A text as a query's name or value.
#[cfg(feature = "dashboard")]
pub(crate) fn escaped(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

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

    /// The parameters of a form, of which a field that is left empty says nothing.
    #[cfg(feature = "dashboard")]
    pub(crate) fn of_form(uri: &Uri) -> Result<Self, ApiError> {
        let mut query = Self::of(uri)?;
        query.0.retain(|(_, value)| !value.is_empty());
        Ok(query)
    }

    /// The parameters but these, as a query again.
    #[cfg(feature = "dashboard")]
    pub(crate) fn without(&self, names: &[&str]) -> String {
        let kept = self.0.iter().filter(|(name, value)| !names.contains(&name.as_str()) && !value.is_empty());
        let pairs: Vec<_> = kept.map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        pairs.join("&")
    }

    /// The same with some values in place of others, or without them.
    #[cfg(feature = "dashboard")]
    pub(crate) fn map(mut self, change: impl Fn(&str, String) -> Option<String>) -> Self {
        self.0 =
            self.0.into_iter().filter_map(|(name, value)| change(&name, value).map(|value| (name, value))).collect();
        self
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

    /// Words of an enum, separated by commas; empty where the parameter is not given.
    pub(crate) fn words<T>(&self, name: &str, all: &[T]) -> Result<Vec<T>, ApiError>
    where
        T: FromStr<Err = UnknownWord> + Display,
    {
        let Some(text) = self.get(name)? else { return Ok(Vec::new()) };
        let words = text.split(',').map(str::trim);
        words.map(str::parse).collect::<Result<_, _>>().map_err(|error| {
            let allowed: Vec<_> = all.iter().map(T::to_string).collect();
            ApiError::parameter(name, format!("has an {error}; these are: {}", allowed.join(", ")))
        })
    }

    /// One word of an enum.
    pub(crate) fn word<T>(&self, name: &str, all: &[T]) -> Result<Option<T>, ApiError>
    where
        T: FromStr<Err = UnknownWord> + Display,
    {
        let mut words = self.words(name, all)?;
        match words.len() {
            0 | 1 => Ok(words.pop()),
            _ => Err(ApiError::parameter(name, "must be one word")),
        }
    }

    /// A job's id, whether there is such a job or not.
    pub(crate) fn job(&self) -> Result<Option<JobId>, ApiError> {
        let id = self.get("job")?.map(JobId::parse).transpose();
        id.map_err(|error| ApiError::parameter("job", format_args!("is none: {error}")))
    }

    /// From when to when: `from`, included, and `to`, not included.
    pub(crate) fn range(&self) -> Result<TimeRange, ApiError> {
        let (from, to) = (self.instant("from")?, self.instant("to")?);
        match from.zip(to) {
            Some((from, to)) if to <= from => Err(ApiError::parameter("to", "must be after `from`")),
            _ => Ok(TimeRange { from, to }),
        }
    }

    fn instant(&self, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        let Some(text) = self.get(name)? else { return Ok(None) };
        // A plus that nobody escaped arrives as a space.
        let at = time::parse(text).or_else(|| time::parse(&text.replace(' ', "+")));
        at.map(Some).ok_or_else(|| ApiError::parameter(name, time::FORM))
    }

    /// A number that stands for a list with these parameters as given: FNV-1a, the same in every build.
    pub(crate) fn fingerprint(&self, list: &str, parameters: &[&str]) -> Result<u32, ApiError> {
        let mut hash = 0x811c_9dc5_u32;
        let mut add = |text: &str| {
            for byte in text.bytes().chain([0xff]) {
                hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
            }
        };
        add(list);
        for name in parameters {
            if let Some(value) = self.get(name)? {
                add(name);
                add(value);
            }
        }
        Ok(hash)
    }
}
