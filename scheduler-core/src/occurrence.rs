//! What an execution is an attempt at: the occurrence's key, and its origin.

use std::{
    collections::BTreeSet,
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::identity::InstanceId;

/// The key of an occurrence; `(job id, key, attempt)` is unique for good.
///
/// `s:<epoch ms>` is what a schedule names, `m:<idempotency key or UUID>` a manual request,
/// `d:<root key>` a dependant's run, `i:<epoch ms>:<instance>` a run on each instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OccurrenceKey(String);

impl OccurrenceKey {
    /// The key of an instant that a schedule names.
    #[must_use]
    pub fn scheduled(at: DateTime<Utc>) -> Self {
        Self(format!("s:{}", at.timestamp_millis()))
    }

    /// The key of a manual request, by its idempotency key or a UUID.
    #[must_use]
    pub fn manual(request: &str) -> Self {
        Self(format!("m:{request}"))
    }

    /// The key of a dependant's run, by an occurrence of its chain: all runs of a chain have the same one, but for the
    /// root's.
    #[must_use]
    pub fn dependant(of: &Self) -> Self {
        Self(format!("d:{}", of.root().0))
    }

    /// The key of the root of this one's chain: of a dependant's run the occurrence that the chain began with, of every
    /// other its own.
    #[must_use]
    pub fn root(&self) -> Self {
        Self(self.0.strip_prefix("d:").unwrap_or(&self.0).to_owned())
    }

    /// The key of an instant on one instance alone.
    #[must_use]
    pub fn on_instance(at: DateTime<Utc>, instance: InstanceId) -> Self {
        Self(format!("i:{}:{instance}", at.timestamp_millis()))
    }

    /// A key as a store kept it.
    #[must_use]
    pub fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The instant that the key names, if it is a schedule's.
    #[must_use]
    pub fn scheduled_at(&self) -> Option<DateTime<Utc>> {
        let millis = self.0.strip_prefix("s:")?.parse().ok()?;
        DateTime::from_timestamp_millis(millis)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OccurrenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Defines an enum whose variants are one word in code, table, API and metrics.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident: $error:literal {
        $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)*
        $(.. $(#[$other_meta:meta])* $other:ident,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)*
            $($(#[$other_meta])* #[serde(untagged)] $other($crate::occurrence::OtherWord),)?
        }

        impl $name {
            /// Every value that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in table, API and metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                    $(Self::$other(word) => word.as_str(),)?
                }
            }
        }

        $(impl $name {
            /// A word as a store has it: what a later version has written is kept as it is.
            #[must_use]
            pub fn from_stored(word: &str) -> Self {
                word.parse().unwrap_or_else(|_| Self::$other($crate::occurrence::OtherWord::of(word)))
            }
        })?

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(UnknownWord { kind: $error, word: word.chars().take(64).collect() }),
                }
            }
        }
    };
}
pub(crate) use words;

/// How many words of later versions are told apart in a process: their vocabulary is small, and a table that a hand has spoiled
/// takes no more memory than this.
const OTHER_WORDS: usize = 64;

/// The words seen so far.
static SEEN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// A word that this version does not know, kept as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct OtherWord(&'static str);

impl OtherWord {
    /// The word, cut to 64 characters; `other` once 64 of them were seen in this process.
    #[must_use]
    pub fn of(word: &str) -> Self {
        let word: String = word.chars().take(64).collect();
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seen.get(word.as_str()) {
            return Self(known);
        }
        if seen.len() >= OTHER_WORDS {
            return Self("other");
        }
        let word: &'static str = Box::leak(word.into_boxed_str());
        seen.insert(word);
        Self(word)
    }

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for OtherWord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of(&String::deserialize(deserializer)?))
    }
}

/// A word that names no value of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{word}`")]
pub struct UnknownWord {
    /// The kind of value that was looked for.
    pub kind: &'static str,
    /// The word, cut to 64 characters.
    pub word: String,
}

words! {
    /// What caused an execution; kept over all attempts.
    Origin: "origin" {
        /// The schedule, on time.
        Schedule = "schedule",
        /// The schedule, after its start deadline.
        CatchUp = "catch_up",
        /// An operator's backfill of a past range.
        Backfill = "backfill",
        /// A request.
        Manual = "manual",
        /// The end of another job.
        Dependency = "dependency",
        ..
        /// What a later version has written, as it is.
        Other,
    }
}

impl Origin {
    /// Whether the occurrence's own time was over when it was made to run: caught up or backfilled.
    #[must_use]
    pub const fn is_belated(self) -> bool {
        matches!(self, Self::CatchUp | Self::Backfill)
    }
}
