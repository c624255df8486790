//! What a job is due for next.

use maud::{Markup, html};
use scheduler_core::{execution::Execution, job::JobSettings};

use super::clock_change;
use crate::dashboard::{Dashboard, look, words::Words, zone};

/// How many occurrences are shown.
const UPCOMING: usize = 10;

/// A row an occurrence, with what the clocks do to it; those that are skipped say so, the others can be, if `root` is there.
pub(super) fn table(
    settings: &JobSettings,
    skipped: &[&Execution],
    root: Option<&String>,
    dashboard: &Dashboard,
    words: &Words,
) -> Markup {
    let (zone, now) = (zone::of(&dashboard.api.handle, &settings.id), dashboard.api.handle.now());
    let next: Vec<_> = settings.trigger.upcoming(now).take(UPCOMING).collect();
    let notes = clock_change::notes(&settings.trigger, now, &next, words);
    html! {
        @if next.is_empty() { p class="note" { (words.none) } }
        @else {
            table class="upcoming" {
                tbody {
                    @for (place, at) in next.iter().enumerate() {
                        tr {
                            td {
                                (look::time_from(*at, zone, now, words))
                                @for (_, note) in notes.iter().filter(|(of, _)| *of == place) { small class="st warn" { "⚠ " (note) } }
                            }
                            td class="act" {
                                @if skipped.iter().any(|row| row.scheduled_at == *at) { span class="st skip" { "– " (words.taken_out) } }
                                @else if let Some(root) = root {
                                    a class="button" href={ (root) "jobs/" (settings.id) "/skip?at=" (at.format("%Y-%m-%dT%H:%M:%S%.fZ")) } { (words.skip) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
