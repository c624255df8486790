//! How long a job's runs took.

use maud::{Markup, html};
use scheduler_core::execution::Execution;
use scheduler_cron::NamedZone;

use crate::dashboard::{look, picture, words::Words};

/// The picture's measures; it is drawn as wide as there is room, so it has no text of its own.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 100.0;

/// A bar a run, the oldest first, with the half and the 95 of 100 that took no longer.
pub(super) fn card(newest_first: &[Execution], zone: NamedZone, root: &str, words: &Words) -> Markup {
    let rows: Vec<_> = newest_first.iter().rev().filter_map(|row| Some((row, row.duration_seconds?))).collect();
    let mut times: Vec<f64> = rows.iter().map(|(_, seconds)| *seconds).collect();
    let longest = times.iter().copied().fold(0.0, f64::max);
    let percentiles = picture::percentile(&mut times, 50).zip(picture::percentile(&mut times, 95));
    // Few bars are not as broad as the picture.
    let step = WIDTH / rows.len().max(25) as f64;
    let y = |seconds: f64| if longest > 0.0 { HEIGHT - seconds / longest * (HEIGHT - 4.0) } else { HEIGHT - 1.0 };
    html! {
        div class="card note" {
            @if let (Some((half, most)), Some((first, _)), Some((last, _))) = (percentiles, rows.first(), rows.last()) {
                svg class="durations" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="group" aria-label=(words.durations) {
                    @for (place, (row, seconds)) in rows.iter().enumerate() {
                        @let told = format!("#{} {} · {}", row.id, words.status_of(row.status), look::seconds(*seconds, words));
                        a href={ (root) "executions/" (row.id) } tabindex="-1" aria-label=(told) {
                            rect class=(look::class(row.status)) x=(format!("{:.1}", place as f64 * step)) y=(format!("{:.1}", y(*seconds).min(HEIGHT - 2.0)))
                                width=(format!("{:.1}", step * 0.75)) height=(format!("{:.1}", (HEIGHT - y(*seconds)).max(2.0))) { title { (told) } }
                        }
                    }
                    line class="p50" x1="0" x2=(WIDTH) y1=(format!("{:.1}", y(half))) y2=(format!("{:.1}", y(half))) {}
                    line class="p95" x1="0" x2=(WIDTH) y1=(format!("{:.1}", y(most))) y2=(format!("{:.1}", y(most))) {}
                }
                p class="legend sub" {
                    span { (rows.len()) ": " (look::time(first.scheduled_at, zone)) " – " (look::time(last.scheduled_at, zone)) }
                    span { (line("p50")) "p50 " b { (look::seconds(half, words)) } }
                    span { (line("p95")) "p95 " b { (look::seconds(most, words)) } }
                    span { (words.longest) " " b { (look::seconds(longest, words)) } }
                }
            } @else { (words.no_durations) }
        }
    }
}

fn line(class: &str) -> Markup {
    html! { svg class="mark durations" width="18" height="8" viewBox="0 0 18 8" aria-hidden="true" { line class=(class) x1="0" x2="18" y1="4" y2="4" {} } }
}
