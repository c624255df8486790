//! In Indonesian: the days come first, hours and minutes are parted by a full stop.

use super::{Days, MonthDays, Outline, Pace, Set, WeekDays, joined, ranges};
use crate::field::Field;

const WEEKDAYS: [&str; 7] = ["Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"];
const MONTHS: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];

pub(super) fn describe(outline: &Outline) -> String {
    let mut words = match &outline.pace {
        Pace::Times { times, seconds } => format!("{} {}", days_first(&outline.days), clock(times, *seconds)),
        pace => {
            let pace = pace_first(pace);
            match &outline.days {
                Days::Every => pace,
                days => format!("{pace}, {}", days_after(days)),
            }
        }
    };
    if !outline.months.all {
        words += &format!(", bulan {}", joined(&ranges(&outline.months.ranges, " sampai ", month), " dan "));
    }
    if !outline.years.is_empty() {
        words += &format!(", tahun {}", joined(&ranges(&outline.years, " sampai ", |year| year.to_string()), " dan "));
    }
    if outline.never {
        words += " (tidak pernah: tanggal itu tidak ada)";
    }
    words
}

fn clock(times: &[(u16, u16, u16)], seconds: bool) -> String {
    let told: Vec<String> = times
        .iter()
        .map(|(hour, minute, second)| match seconds {
            true => format!("{hour:02}.{minute:02}.{second:02}"),
            false => format!("{hour:02}.{minute:02}"),
        })
        .collect();
    format!("pukul {}", joined(&told, " dan "))
}

fn pace_first(pace: &Pace) -> String {
    match pace {
        Pace::Times { times, seconds } => clock(times, *seconds),
        Pace::Each { count, unit, hours } => {
            let each = if *count == 1 {
                format!("Setiap {}", unit_name(*unit))
            } else {
                format!("Setiap {count} {}", unit_name(*unit))
            };
            each + &within(hours, *unit)
        }
        Pace::Within { seconds, minutes, hours } => {
            let mut words = String::from("Pada ");
            if seconds.single() != Some(0) {
                words += &format!("{} ", numbered(Field::Second, seconds));
            }
            words += &numbered(Field::Minute, minutes);
            words + " " + &if hours.all { "setiap jam".to_owned() } else { numbered(Field::Hour, hours) }
        }
    }
}

fn within(hours: &Set, unit: Field) -> String {
    match hours.ranges[..] {
        _ if hours.all => String::new(),
        [(first, last)] => {
            let end = if unit == Field::Second { ".59.59" } else { ".59" };
            format!(" dari pukul {first:02}.00 sampai {last:02}{end}")
        }
        _ => format!(" pada {}", numbered(Field::Hour, hours)),
    }
}

fn numbered(field: Field, set: &Set) -> String {
    let name = unit_name(field);
    if set.all {
        return format!("setiap {name}");
    }
    format!("{name} {}", list(set))
}

const fn unit_name(field: Field) -> &'static str {
    match field {
        Field::Second => "detik",
        Field::Minute => "menit",
        _ => "jam",
    }
}

/// "Setiap hari", "Setiap tanggal 1", "Setiap hari Senin".
fn days_first(days: &Days) -> String {
    match days {
        Days::Every => "Setiap hari".to_owned(),
        Days::OfMonth(month) => format!("Setiap {}", month_days(month)),
        Days::OfWeek(week) => format!("Setiap {}", week_days(week)),
        Days::Either(month, week) => format!("Setiap {} dan juga setiap {}", month_days(month), week_days(week)),
        Days::Both(month, week) => format!("Setiap {} yang juga {}", month_days(month), week_days(week)),
    }
}

fn days_after(days: &Days) -> String {
    let words = days_first(days);
    words.replacen("Setiap", "setiap", 1)
}

fn month_days(days: &[MonthDays]) -> String {
    let told: Vec<String> = days
        .iter()
        .map(|days| match days {
            MonthDays::Numbers(set) => format!("tanggal {}", list(set)),
            MonthDays::Each(step) => format!("{step} hari sejak tanggal 1"),
            MonthDays::FromLast(0) => "hari terakhir bulan".to_owned(),
            MonthDays::FromLast(days) => format!("{days} hari sebelum hari terakhir bulan"),
            MonthDays::NearestWeekday(day) => format!("hari Senin sampai Jumat terdekat dengan tanggal {day}"),
            MonthDays::LastWeekday => "hari Senin sampai Jumat terakhir bulan".to_owned(),
        })
        .collect();
    joined(&told, " dan ")
}

fn list(set: &Set) -> String {
    joined(&ranges(&set.ranges, " sampai ", |value| value.to_string()), " dan ")
}

fn week_days(days: &[WeekDays]) -> String {
    let name = |day: u16| WEEKDAYS[usize::from(day)].to_owned();
    let told: Vec<String> = days
        .iter()
        .map(|days| match days {
            WeekDays::Names(set) => joined(&ranges(&set.ranges, " sampai ", name), " dan "),
            WeekDays::Nth(day, 1) => format!("{} pertama bulan", name(*day)),
            WeekDays::Nth(day, nth) => format!("{} ke-{nth} bulan", name(*day)),
            WeekDays::Last(day) => format!("{} terakhir bulan", name(*day)),
        })
        .collect();
    format!("hari {}", joined(&told, " dan "))
}

fn month(month: u16) -> String {
    MONTHS[usize::from(month) - 1].to_owned()
}
