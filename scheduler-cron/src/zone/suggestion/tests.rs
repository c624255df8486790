use crate::zone::parse_zone;

fn suggested(name: &str) -> Vec<&'static str> {
    parse_zone(name).expect_err(name).suggestions().to_vec()
}

#[test]
fn a_mistyped_zone_is_recognised() {
    for (wrong, right) in [
        ("Asia/Jakata", "Asia/Jakarta"),
        ("Indonesia/Jakarta", "Asia/Jakarta"),
        ("asia/jakarta", "Asia/Jakarta"),
        ("Jakarta", "Asia/Jakarta"),
        ("Jkarta", "Asia/Jakarta"),
        ("America/New York", "America/New_York"),
        ("America/NewYork", "America/New_York"),
        ("new-york", "America/New_York"),
        ("Europe/Berlim", "Europe/Berlin"),
        ("America/Los_Angelos", "America/Los_Angeles"),
        ("America/Argentina/Buenos_Ares", "America/Argentina/Buenos_Aires"),
        ("Asia/Singapur", "Asia/Singapore"),
        ("utc", "UTC"),
        ("est", "EST"),
    ] {
        assert_eq!(suggested(wrong), [right], "{wrong}");
    }
    assert!(suggested("Mars/Olympus_Mons").is_empty());
}

#[test]
fn offsets_and_abbreviations_name_zones_that_have_that_offset() {
    for (written, zones) in [
        ("GMT+7", &["Asia/Jakarta", "Asia/Bangkok", "Asia/Ho_Chi_Minh"][..]),
        ("UTC+7", &["Asia/Jakarta", "Asia/Bangkok", "Asia/Ho_Chi_Minh"]),
        ("+07:00", &["Asia/Jakarta", "Asia/Bangkok", "Asia/Ho_Chi_Minh"]),
        ("UTC-5", &["America/Bogota", "America/Lima"]),
        ("WIB", &["Asia/Jakarta"]),
        ("PST", &["America/Los_Angeles", "Asia/Manila"]),
        ("IST", &["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"]),
    ] {
        assert_eq!(suggested(written), zones, "{written}");
    }
}

#[test]
fn cities_that_name_no_zone_name_the_one_whose_clock_they_have() {
    for (city, zone) in [
        ("Asia/Beijing", "Asia/Shanghai"),
        ("Asia/Bandung", "Asia/Jakarta"),
        ("Surabaya", "Asia/Jakarta"),
        ("Asia/Bali", "Asia/Makassar"),
        ("Asia/Mumbai", "Asia/Kolkata"),
        ("Asia/New Delhi", "Asia/Kolkata"),
        ("US/San_Francisco", "America/Los_Angeles"),
        ("America/Houston", "America/Chicago"),
    ] {
        assert_eq!(suggested(city), [zone], "{city}");
    }
}

#[test]
fn nothing_is_suggested_by_the_spelling_of_a_short_name_and_no_zone_whose_sign_is_turned_round() {
    for name in
        ["XST", "PSTT", "ESP", "Asia/Aba", "Asia/Bam", "WIBB", "GB1", "Etc/GMT+77", "etc/gmt+7", "GMT+99", "UTC+7:99"]
    {
        assert!(suggested(name).is_empty(), "{name}: {:?}", suggested(name));
    }
    for hours in -20..=20 {
        for name in
            [format!("GMT{hours:+}"), format!("UTC{hours:+}"), format!("ETC/GMT{hours:+}"), format!("{hours:+}")]
        {
            let Err(error) = parse_zone(&name) else { continue };
            assert!(error.suggestions().iter().all(|zone| !zone.starts_with("Etc/")), "{name}");
        }
    }
}

#[test]
fn a_region_that_is_right_makes_no_city_more_similar() {
    for name in ["Asia/Bangalor3x", "Asia/Gotham", "America/Springfield", "Europe/Lyon", "Africa/Durban"] {
        assert!(suggested(name).is_empty(), "{name}: {:?}", suggested(name));
    }
}
