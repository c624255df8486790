//! `cargo xtask matrix`: what is tried in several combinations, a job each.

mod mixed_fleet;
mod previous;
mod zones;

use std::{path::Path, process::ExitCode, time::Duration};

use crate::failure::Result;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Matrix {
    MixedFleet(MixedFleet),
    /// The zone data beside PyPI's.
    Zones,
}

/// Processes of two versions on the same servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MixedFleet {
    /// How long each order lasts.
    pub(crate) duration: Duration,
    pub(crate) seed: u64,
    /// The tag of the other version; the last before this commit unless given.
    pub(crate) previous: Option<String>,
}

impl Default for MixedFleet {
    fn default() -> Self {
        Self { duration: Duration::from_secs(60), seed: 1, previous: None }
    }
}

pub(crate) fn run(root: &Path, matrix: &Matrix) -> Result<ExitCode> {
    match matrix {
        Matrix::MixedFleet(fleet) => mixed_fleet::run(root, fleet),
        Matrix::Zones => zones::run(root),
    }
}
