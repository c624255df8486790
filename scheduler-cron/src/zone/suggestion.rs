//! Which zone was meant by a name that no zone has.
//!
//! A wrong suggestion is worse than none: it is taken, and the job runs hours off. So offsets and abbreviations name zones that have
//! that offset, cities that are no zone's name stand in a table, and a similar spelling counts only where the city itself is nearly the
//! same. `Etc/GMT+7` and its like, which mean the opposite of what they seem to, are never suggested.

use chrono_tz::TZ_VARIANTS;

use super::LONGEST_SHOWN;
use crate::nearest::nearest_within;

mod abbreviations;
mod cities;
mod offsets;

/// What was probably meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suggestion {
    /// One zone.
    Zone(&'static str),
    /// An offset or an abbreviation: zones with that offset, of which the name alone does not tell which is meant.
    Zones(&'static [&'static str]),
}

impl Suggestion {
    pub(super) fn of(name: &str) -> Option<Suggestion> {
        if name.len() > LONGEST_SHOWN {
            return None;
        }
        let same_name = || names().find(|known| known.eq_ignore_ascii_case(name));
        same_name()
            .map(Suggestion::Zone)
            .or_else(|| offsets::zones(name).map(Suggestion::Zones))
            .or_else(|| abbreviations::zones(name).map(Suggestion::Zones))
            .or_else(|| by_city(name).map(Suggestion::Zone))
            .or_else(|| by_spelling(name).map(Suggestion::Zone))
    }

    pub(super) fn zones(&self) -> &[&'static str] {
        match self {
            Suggestion::Zone(name) => std::slice::from_ref(name),
            Suggestion::Zones(names) => names,
        }
    }
}

/// Names of places.
fn names() -> impl Iterator<Item = &'static str> {
    TZ_VARIANTS.iter().map(|zone| zone.name()).filter(|name| !name.starts_with("Etc/"))
}

fn city(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Whether two names of cities differ in case and in what stands between words alone.
fn same_city(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

fn letters(name: &str) -> impl Iterator<Item = u8> + '_ {
    let between = |byte: &u8| matches!(byte, b' ' | b'_' | b'-' | b'.');
    name.bytes().filter(move |byte| !between(byte)).map(|byte| byte.to_ascii_lowercase())
}

/// A right city under a wrong region (`Indonesia/Jakarta`), or one that has the clock of another (`Asia/Bandung`).
fn by_city(name: &str) -> Option<&'static str> {
    let wanted = city(name);
    // `EST` or `GB` at the end of something else is no city.
    let zone = names().find(|known| known.contains('/') && same_city(city(known), wanted));
    zone.or_else(|| cities::zone(wanted))
}

/// The zone of a city that is spelled nearly so.
fn by_spelling(name: &str) -> Option<&'static str> {
    let wanted = city(name);
    // How many slips of the city's own letters are one: the region's make no city more similar.
    let slips = match wanted.len() {
        ..5 => return None,
        5..8 => 1,
        _ => 2,
    };
    let with_city = || names().filter(|known| known.contains('/'));
    let whole = nearest_within(name, with_city(), slips);
    whole.or_else(|| nearest_within(wanted, with_city().map(city), slips).and_then(by_city))
}

#[cfg(test)]
mod tests;
