//! The clock changes that a trigger meets, for the docs of its function.

use scheduler_cron::{CronExpr, CronTrigger, Hazard, HazardEffect, zone_data_version};

/// How many years are looked at: enough for a monthly time to meet a change that most years pass by.
///
/// They begin with the year of the zone data, not with the build's: an expansion is the same on any day.
const YEARS: u16 = 10;

/// More kinds of changes are counted, not told.
const MOST_TOLD: usize = 4;

/// What happens at each kind of change; nothing where the zone's clock stays, or where no run is lost, moved or doubled.
pub(crate) fn paragraph(trigger: &CronTrigger) -> Option<String> {
    let first: u16 = zone_data_version().get(..4)?.parse().ok()?;
    let new_year = |year: u16| format!("{year}-01-01T00:00:00Z");
    let (from, to) = (new_year(first).parse().ok()?, new_year(first + YEARS).parse().ok()?);
    let zone = trigger.zone();
    let met = |expression| CronExpr::hazards_with(expression, zone, from, to, trigger.clock_changes());
    let mut hazards: Vec<Hazard> = trigger.exprs().iter().flat_map(met).collect();
    hazards.retain(|hazard| hazard.effect != HazardEffect::Uninterrupted);
    hazards.sort_by_key(|hazard| hazard.changes_at);
    let mut kinds: Vec<String> = Vec::new();
    for kind in hazards.iter().map(Hazard::undated) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let more = match kinds.len().saturating_sub(MOST_TOLD) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    kinds.truncate(MOST_TOLD);
    (!kinds.is_empty()).then(|| format!("**Clock changes:** {}{more}.", kinds.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_cron::parse_zone;

    fn told(expressions: &[&str], zone: &str) -> Option<String> {
        let expressions = expressions.iter().map(|text| CronExpr::parse(text).expect("valid"));
        paragraph(&CronTrigger::union(expressions, parse_zone(zone).expect("a zone")).expect("it fires"))
    }

    #[test]
    fn each_kind_of_change_is_told_once_whatever_the_year() {
        let kinds = "**Clock changes:** the clock goes from 02:00 to 03:00, and 02:30 runs at 03:00; \
                     the clock goes from 02:00 to 01:00, and 01:30 runs once, in the first pass.";
        assert_eq!(told(&["30 1,2 * * *"], "America/New_York").as_deref(), Some(kinds));
        // A first of November that is the Sunday of the change comes in few years.
        let rare = "**Clock changes:** the clock goes from 02:00 to 01:00, and 01:30 runs once, in the first pass.";
        assert_eq!(told(&["30 1 1 11 *"], "America/New_York").as_deref(), Some(rare));
    }

    #[test]
    fn nothing_is_told_where_no_run_is_lost_moved_or_doubled() {
        assert_eq!(told(&["30 0 * * *"], "Asia/Jakarta"), None);
        assert_eq!(told(&["0 9 * * *"], "Europe/Berlin"), None);
        assert_eq!(told(&["*/5 * * * *"], "Europe/Berlin"), None);
    }

    #[test]
    fn many_kinds_are_counted() {
        let expressions = ["0 2 * * *", "5 2 * * *", "10 2 * * *", "15 2 * * *", "20 2 * * *", "25 2 * * *"];
        let paragraph = told(&expressions, "Europe/Berlin").expect("all meet both changes");
        assert!(paragraph.ends_with("; and 8 more."), "{paragraph}");
    }
}
