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
        @if !rows.is_empty() {
            svg class="spark" width=(RUNS * STEP) height="22" viewBox={ "0 0 " (RUNS * STEP) " 22" } role="img"
                aria-label={ (words.last_runs) ": " (rows.len()) ", " (failed) " " (words.failed) ", " (words.longest) " " (look::seconds(longest, words)) } {
                @for (place, row) in rows.iter().enumerate() {
                    @let tall = height(row, longest);
                    rect class=(look::class(row.status)) x=(place * STEP + 1) y=(format!("{:.1}", 21.0 - tall)) width="4"
                        height=(format!("{tall:.1}")) {
                        title {
                            (row.scheduled_at.format("%Y-%m-%d %H:%M:%S UTC")) " " (words.status_of(row.status))
                            @if let Some(seconds) = row.duration_seconds { " · " (look::seconds(seconds, words)) }
                        }
                    }
                }
            }
        }
    }
}

fn height(row: &Execution, longest: f64) -> f64 {
    match (row.status, row.duration_seconds) {
        (Status::Running, _) => TALLEST,
        (_, Some(seconds)) if longest > 0.0 => (seconds / longest * TALLEST).clamp(3.0, TALLEST),
        _ => 6.0,
    }
}

/// The smallest of the values that this many of a hundred do not exceed.
pub(super) fn percentile(values: &mut [f64], percent: usize) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get((values.len() * percent).div_ceil(100).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 50), Some(50.0));
        assert_eq!(percentile(&mut values, 95), Some(95.0));
        assert_eq!(percentile(&mut [1.0, 2.0, 3.0], 50), Some(2.0));
        assert_eq!(percentile(&mut [], 95), None);
        assert_eq!(percentile(&mut [7.0], 95), Some(7.0));
    }
}
