//! The newtypes by which jobs, executions, instances and grants are known.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Ids that the admin API's paths need for themselves.
const RESERVED: [&str; 6] = ["executions", "instances", "audit", "events", "workflows", "openapi.json"];

/// The longest job id, in bytes: the width of the predecessor's column.
const LONGEST_JOB_ID: usize = 100;

/// The stable id of a job: `[a-z0-9][a-z0-9._-]{0,99}`, cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(Arc<str>);

impl JobId {
    /// Reads a job id.
    ///
    /// # Errors
    /// When it is empty, longer than 100 bytes, has another character, or is reserved for the API's paths.
    pub fn parse(id: &str) -> Result<Self, JobIdError> {
        let shown = || id.chars().take(LONGEST_JOB_ID).collect::<String>();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        match id.as_bytes() {
            [] => return Err(JobIdError::Empty),
            bytes if bytes.len() > LONGEST_JOB_ID => {
                return Err(JobIdError::TooLong { length: bytes.len() });
            }
            [first, ..] if !allowed(*first) => return Err(JobIdError::Character { id: shown() }),
            bytes if bytes.iter().any(|&b| !allowed(b) && !b"._-".contains(&b)) => {
                return Err(JobIdError::Character { id: shown() });
            }
            _ if RESERVED.contains(&id) => return Err(JobIdError::Reserved { id: shown() }),
            _ => {}
        }
        Ok(Self(id.into()))
    }

    /// An id as a store kept it, unchecked: a row of the predecessor's may have another form, and is shown all the same.
    #[must_use]
    pub fn from_stored(id: &str) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for JobId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for JobId {
    type Err = JobIdError;

    fn from_str(id: &str) -> Result<Self, JobIdError> {
        Self::parse(id)
    }
}

impl TryFrom<String> for JobId {
    type Error = JobIdError;

    fn try_from(id: String) -> Result<Self, JobIdError> {
        Self::parse(&id)
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.as_str().to_owned()
    }
}

/// Why a text is no job id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JobIdError {
    /// The text is empty.
    #[error("a job id must not be empty")]
    Empty,
    /// The text has more than 100 bytes.
    #[error("a job id has at most 100 characters, this one has {length}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A character is not of `[a-z0-9._-]`, or the first not of `[a-z0-9]`.
    #[error("job id `{id}` must start with a-z or 0-9 and go on with a-z, 0-9, `.`, `_` or `-`")]
    Character {
        /// The text, cut to 100 characters.
        id: String,
    },
    /// The API's paths use the text.
    #[error("job id `{id}` is reserved for the admin API")]
    Reserved {
        /// The text.
        id: String,
    },
}

/// One row of the history: one attempt at one occurrence. Grows in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(pub i64);

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number that grows with each grant of a job's key, for a job to hand to what it writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FencingToken(pub i64);

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One start of one process. Random, so that no host name or pid can be taken for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(pub Uuid);

impl InstanceId {
    /// A new, random id.
    #[must_use]
    pub fn random() -> Self {
        Self(crate::random::uuid())
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The client's own name for one claim or take, by which a lost reply is looked up (R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimId(pub Uuid);

impl ClaimId {
    /// A new, random id.
    #[must_use]
    pub fn random() -> Self {
        Self(crate::random::uuid())
    }
}

/// The number of a job's revision: a trigger and its policies, from when they were first announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevisionId(pub i64);

#[cfg(test)]
mod tests {
    use super::{JobId, JobIdError};

    #[test]
    fn a_job_id_of_every_allowed_character_is_read() {
        let id = JobId::parse("0auto_create-daily.attendance9").expect("valid");
        assert_eq!(id.as_str(), "0auto_create-daily.attendance9");
        assert!(JobId::parse(&"a".repeat(100)).is_ok());
    }

    #[test]
    fn a_bad_job_id_says_what_is_wrong() {
        assert_eq!(JobId::parse(""), Err(JobIdError::Empty));
        assert_eq!(JobId::parse(&"a".repeat(101)), Err(JobIdError::TooLong { length: 101 }));
        for bad in ["A", "-a", "a b", "a/b", "..", "a'b", "ä", "a\0"] {
            assert!(matches!(JobId::parse(bad), Err(JobIdError::Character { .. })), "{bad:?}");
        }
        for reserved in super::RESERVED {
            assert!(matches!(JobId::parse(reserved), Err(JobIdError::Reserved { .. })), "{reserved}");
        }
    }
}
