//! Abbreviations for names: `WIB`, `PST`. Some stand for several zones, hours apart.

/// Each abbreviation with the zones whose time is called so.
const ZONES: [(&str, &[&str]); 52] = [
    ("WIB", &["Asia/Jakarta"]),
    ("WITA", &["Asia/Makassar"]),
    ("WIT", &["Asia/Jayapura"]),
    ("PST", &["America/Los_Angeles", "Asia/Manila"]),
    ("PDT", &["America/Los_Angeles"]),
    ("PT", &["America/Los_Angeles"]),
    ("MDT", &["America/Denver"]),
    ("MT", &["America/Denver"]),
    ("CST", &["America/Chicago", "Asia/Shanghai"]),
    ("CDT", &["America/Chicago"]),
    ("CT", &["America/Chicago"]),
    ("EDT", &["America/New_York"]),
    ("ET", &["America/New_York"]),
    ("AST", &["America/Puerto_Rico", "America/Halifax", "Asia/Riyadh"]),
    ("ADT", &["America/Halifax"]),
    ("NST", &["America/St_Johns"]),
    ("AKST", &["America/Anchorage"]),
    ("AKDT", &["America/Anchorage"]),
    ("BRT", &["America/Sao_Paulo"]),
    ("ART", &["America/Argentina/Buenos_Aires"]),
    ("CLT", &["America/Santiago"]),
    ("COT", &["America/Bogota"]),
    ("PET", &["America/Lima"]),
    ("BST", &["Europe/London", "Asia/Dhaka"]),
    ("CEST", &["Europe/Berlin", "Europe/Paris"]),
    ("EEST", &["Europe/Athens", "Europe/Kyiv"]),
    ("WEST", &["Europe/Lisbon"]),
    ("MSK", &["Europe/Moscow"]),
    ("TRT", &["Europe/Istanbul"]),
    ("SAST", &["Africa/Johannesburg"]),
    ("EAT", &["Africa/Nairobi"]),
    ("CAT", &["Africa/Maputo"]),
    ("WAT", &["Africa/Lagos"]),
    ("GST", &["Asia/Dubai"]),
    ("IST", &["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"]),
    ("IDT", &["Asia/Jerusalem"]),
    ("PKT", &["Asia/Karachi"]),
    ("NPT", &["Asia/Kathmandu"]),
    ("ICT", &["Asia/Bangkok", "Asia/Ho_Chi_Minh"]),
    ("SGT", &["Asia/Singapore"]),
    ("MYT", &["Asia/Kuala_Lumpur"]),
    ("HKT", &["Asia/Hong_Kong"]),
    ("PHT", &["Asia/Manila"]),
    ("JST", &["Asia/Tokyo"]),
    ("KST", &["Asia/Seoul"]),
    ("AWST", &["Australia/Perth"]),
    ("ACST", &["Australia/Darwin", "Australia/Adelaide"]),
    ("ACDT", &["Australia/Adelaide"]),
    ("AEST", &["Australia/Brisbane", "Australia/Sydney"]),
    ("AEDT", &["Australia/Sydney"]),
    ("NZST", &["Pacific/Auckland"]),
    ("NZDT", &["Pacific/Auckland"]),
];

pub(super) fn zones(name: &str) -> Option<&'static [&'static str]> {
    ZONES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, zones)| *zones)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::parse_zone;

    /// The data itself calls most of them so, in one half of the year.
    #[test]
    fn each_zone_s_time_is_called_so_or_has_no_letters() {
        // Names that people use and the data does not.
        let common = ["PT", "MT", "CT", "ET", "PHT"];
        for (abbreviation, zones) in ZONES {
            for zone in zones {
                let zone = parse_zone(zone).expect("a zone");
                let called = ["2027-01-15T00:00:00Z", "2027-07-15T00:00:00Z"].map(|at| {
                    let at = at.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant");
                    at.with_timezone(&zone).format("%Z").to_string()
                });
                let told = called.iter().any(|name| name == abbreviation || name.starts_with(['+', '-']));
                assert!(told || common.contains(&abbreviation), "{abbreviation}: {zone} is called {called:?}");
            }
        }
    }
}
