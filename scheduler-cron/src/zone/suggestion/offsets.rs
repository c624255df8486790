//! Offsets for names: `UTC+7`, `GMT-05:00`, `+0530`.

/// Zones of that offset, in minutes, all the year where there are such.
const ZONES: [(i32, &[&str]); 37] = [
    (-660, &["Pacific/Pago_Pago", "Pacific/Niue"]),
    (-600, &["Pacific/Honolulu"]),
    (-570, &["Pacific/Marquesas"]),
    (-540, &["Pacific/Gambier", "America/Anchorage"]),
    (-480, &["Pacific/Pitcairn", "America/Los_Angeles"]),
    (-420, &["America/Phoenix", "America/Vancouver"]),
    (-360, &["America/Mexico_City", "America/Costa_Rica"]),
    (-300, &["America/Bogota", "America/Lima"]),
    (-240, &["America/Caracas", "America/La_Paz", "America/Puerto_Rico"]),
    (-210, &["America/St_Johns"]),
    (-180, &["America/Sao_Paulo", "America/Argentina/Buenos_Aires"]),
    (-120, &["America/Noronha"]),
    (-60, &["Atlantic/Cape_Verde"]),
    (0, &["UTC", "Africa/Abidjan"]),
    (60, &["Africa/Lagos", "Africa/Tunis"]),
    (120, &["Africa/Johannesburg", "Africa/Maputo"]),
    (180, &["Europe/Moscow", "Europe/Istanbul", "Asia/Riyadh"]),
    (210, &["Asia/Tehran"]),
    (240, &["Asia/Dubai", "Asia/Baku"]),
    (270, &["Asia/Kabul"]),
    (300, &["Asia/Karachi", "Asia/Tashkent"]),
    (330, &["Asia/Kolkata", "Asia/Colombo"]),
    (345, &["Asia/Kathmandu"]),
    (360, &["Asia/Dhaka", "Asia/Bishkek"]),
    (390, &["Asia/Yangon"]),
    (420, &["Asia/Jakarta", "Asia/Bangkok", "Asia/Ho_Chi_Minh"]),
    (480, &["Asia/Makassar", "Asia/Singapore", "Asia/Shanghai"]),
    (525, &["Australia/Eucla"]),
    (540, &["Asia/Jayapura", "Asia/Tokyo", "Asia/Seoul"]),
    (570, &["Australia/Darwin"]),
    (600, &["Australia/Brisbane", "Pacific/Port_Moresby"]),
    (630, &["Australia/Adelaide"]),
    (660, &["Pacific/Guadalcanal", "Asia/Magadan"]),
    (720, &["Pacific/Fiji", "Asia/Kamchatka"]),
    (780, &["Pacific/Tongatapu", "Pacific/Apia"]),
    (825, &["Pacific/Chatham"]),
    (840, &["Pacific/Kiritimati"]),
];

/// The zones of an offset, if the name is one that some have.
pub(super) fn zones(name: &str) -> Option<&'static [&'static str]> {
    let minutes = minutes(name)?;
    ZONES.iter().find(|(offset, _)| *offset == minutes).map(|(_, zones)| *zones)
}

/// How far ahead of UTC the name says to be: as people write it, not as `Etc/GMT+7` does.
fn minutes(name: &str) -> Option<i32> {
    let name = name.trim();
    let upper = name.to_ascii_uppercase();
    let rest = ["UTC", "GMT", "Z", ""].iter().find_map(|prefix| upper.strip_prefix(prefix))?.trim_start();
    let (sign, digits) = match rest.as_bytes().first()? {
        b'+' => (1, &rest[1..]),
        b'-' => (-1, &rest[1..]),
        _ => return None,
    };
    let digits = digits.trim_start();
    let (hours, minutes) = match digits.split_once([':', '.']) {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let number = |text: &str| text.parse::<i32>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::{Zone as _, parse_zone};

    #[test]
    fn each_zone_has_its_offset() {
        let [winter, summer] = ["2027-01-15T00:00:00Z", "2027-07-15T00:00:00Z"]
            .map(|at| at.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant").timestamp());
        for (minutes, zones) in ZONES {
            let offsets = |zone: &&str| {
                let zone = parse_zone(zone).expect("a zone");
                [winter, summer].map(|at| zone.span_at(at).offset / 60)
            };
            assert!(zones.iter().all(|zone| offsets(zone).contains(&minutes)), "{minutes}: {zones:?}");
        }
    }

    #[test]
    fn an_offset_is_read_as_people_write_it() {
        for (text, expected) in [
            ("UTC+7", Some(420)),
            ("GMT+7", Some(420)),
            ("gmt +07:00", Some(420)),
            ("+07:00", Some(420)),
            ("+0530", Some(330)),
            ("+530", Some(330)),
            ("-5", Some(-300)),
            ("UTC-05:00", Some(-300)),
            ("Etc/GMT+7", None),
            ("UTC+25", None),
            ("+", None),
            ("+é", None),
            ("+ab:cd", None),
            ("GMT", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }
}
