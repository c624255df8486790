//! Small pictures of runs. Colours are the style sheet's, by class.

use maud::{Markup, html};
use scheduler_core::{execution::Execution, status::Status};

use super::{look, words::Words};

/// How many runs a row of bars has.
pub(super) const RUNS: usize = 20;
/// A bar's width with its gap, and the tallest bar.
const STEP: usize = 6;
const TALLEST: f64 = 20.0;

/// A bar a run, the oldest first: as tall as it took, compared with the longest of them; hollow where it never ran.
pub(super) fn bars(newest_first: &[Execution], words: &Words) -> Markup {
    let rows: Vec<_> = newest_first.iter().take(RUNS).rev().collect();
    let longest = rows.iter().filter_map(|row| row.duration_seconds).fold(0.0, f64::max);
    let failed = rows.iter().filter(|row| look::class(row.status) == "bad").count();
    html! {
        svg class="spark" width=(RUNS * STEP) height="22" viewBox={ "0 0 " (RUNS * STEP) " 22" } role="img"
            aria-label={ (rows.len()) " · " (failed) " " (words.failed) } {
            @for (place, row) in rows.iter().enumerate() {
                @let tall = height(row, longest);
                rect class=(look::class(row.status)) x=(place * STEP + 1) y=(format!("{:.1}", 21.0 - tall)) width="4"
                    height=(format!("{tall:.1}")) {
                    title { (row.scheduled_at.format("%Y-%m-%d %H:%M:%S UTC")) " " (words.status_of(row.status)) }
                }
            }
        }
    }
}

fn height(row: &Execution, longest: f64) -> f64 {
    match (row.status, row.duration_seconds) {
        (Status::Running, _) => TALLEST,
        (_, Some(seconds)) if longest > 0.0 => (seconds / longest * TALLEST).clamp(4.0, TALLEST),
        _ => 6.0,
    }
}

/// The value below which this share of them lies.
pub(super) fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((last as f64 * share).ceil() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&mut values, 0.5), Some(51.0));
        assert_eq!(quantile(&mut values, 0.95), Some(96.0));
        assert_eq!(quantile(&mut [], 0.95), None);
        assert_eq!(quantile(&mut [7.0], 0.95), Some(7.0));
    }
}
