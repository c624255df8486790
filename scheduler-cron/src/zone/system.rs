//! The machine's own zone data, for who keeps machines up to date and not binaries.

use std::path::{Path, PathBuf};

use super::{NamedZone, Span, Table, Zone, table, tzif};

/// The directory with the machine's zone data.
///
/// ```standalone_crate
/// use scheduler_cron::{CronExpr, SystemZones, zone_data_version};
///
/// let zones = SystemZones::open()?;
/// let casablanca = zones.zone("Africa/Casablanca")?;
/// let expr = CronExpr::parse("0 9 * * *")?;
/// assert!(expr.next_after("2027-11-24T00:00:00Z".parse()?, &casablanca).is_some());
///
/// // Or for every question from here on, and whatever is shown on a zone's clock:
/// let version = zones.version().map(str::to_owned);
/// zones.install()?;
/// assert_eq!(Some(zone_data_version()), version.as_deref().or(Some("unknown")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SystemZones {
    directory: PathBuf,
    version: Option<String>,
}

/// A zone of the machine's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemZone {
    name: Box<str>,
    table: Table,
}

/// Why the machine's zone data can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SystemZoneError {
    /// None of the usual places, nor `TZDIR`, has any.
    #[error("no zone data found: install the package `tzdata`, or set `TZDIR`")]
    NotFound,
    /// A name that leaves the directory, or that has no file.
    #[error("the machine has no zone `{0}`")]
    UnknownZone(String),
    /// A file could not be read.
    #[error("the data of zone `{0}` can't be read")]
    Read(String, #[source] std::io::Error),
    /// A file that is no zone data, or is cut off.
    #[error("the data of zone `{0}` is damaged")]
    Damaged(String),
    /// Occurrences were asked for already, and answers must not change while a process runs.
    #[error("zone data must be installed before the first occurrence is asked for")]
    TooLate,
}

/// Where distributions put the data.
const PLACES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"];

/// No zone's file has more than a few kilobytes.
const LARGEST_FILE: u64 = 1 << 20;

impl SystemZones {
    /// Finds the data in `TZDIR`, or where distributions put it.
    ///
    /// # Errors
    ///
    /// [`SystemZoneError::NotFound`].
    pub fn open() -> Result<SystemZones, SystemZoneError> {
        let named = std::env::var_os("TZDIR").map(PathBuf::from);
        let mut places = named.into_iter().chain(PLACES.map(PathBuf::from));
        let directory = places.find(|place| place.join("UTC").is_file()).ok_or(SystemZoneError::NotFound)?;
        Ok(SystemZones::at(directory))
    }

    /// The data of a directory.
    pub fn at(directory: impl Into<PathBuf>) -> SystemZones {
        let directory = directory.into();
        let version = version(&directory);
        SystemZones { directory, version }
    }

    /// The release of the data, as `2026a`, where the distribution tells it.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Reads a zone by its IANA name.
    ///
    /// # Errors
    ///
    /// A name without a file, or a file that is no zone data.
    pub fn zone(&self, name: &str) -> Result<SystemZone, SystemZoneError> {
        let data = self.read(name)?;
        let table = tzif::table(&data).ok_or_else(|| SystemZoneError::Damaged(name.to_owned()))?;
        Ok(SystemZone { name: name.into(), table })
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, SystemZoneError> {
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte))
        };
        let path = self.directory.join(name);
        if name.len() > 64 || !name.split('/').all(plain) || !path.is_file() {
            return Err(SystemZoneError::UnknownZone(name.chars().take(64).filter(|c| !c.is_control()).collect()));
        }
        let read = |path: &Path| {
            let length = std::fs::metadata(path)?.len();
            if length > LARGEST_FILE { Ok(Vec::new()) } else { std::fs::read(path) }
        };
        read(&path).map_err(|source| SystemZoneError::Read(name.to_owned(), source))
    }

    /// The last change that each zone's file lists.
    pub(super) fn last_listed(&self) -> impl Iterator<Item = i64> {
        NamedZone::all().filter_map(|zone| tzif::last_listed(&self.read(zone.name()).ok()?))
    }

    /// Has every [`NamedZone`] follow this data from now on, in the whole process; one that the machine does not have keeps the data in
    /// the binary.
    ///
    /// # Errors
    ///
    /// [`SystemZoneError::TooLate`] if some occurrence was asked for before.
    pub fn install(self) -> Result<(), SystemZoneError> {
        table::install(self).map_err(|_| SystemZoneError::TooLate)
    }
}

impl SystemZone {
    /// The zone's IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn into_table(self) -> Table {
        self.table
    }
}

impl Zone for SystemZone {
    fn span_at(&self, instant: i64) -> Span {
        self.table.span_at(instant)
    }
}

/// What the distribution's text forms of the data say of themselves.
fn version(directory: &Path) -> Option<String> {
    let compact = std::fs::read_to_string(directory.join("tzdata.zi")).ok();
    let told = compact.as_deref().and_then(|text| text.lines().next()?.strip_prefix("# version "));
    let version = match told {
        Some(version) => version.to_owned(),
        None => std::fs::read_to_string(directory.join("+VERSION")).ok()?,
    };
    Some(version.trim().to_owned()).filter(|version| !version.is_empty() && version.len() < 32)
}

#[cfg(test)]
mod tests;
