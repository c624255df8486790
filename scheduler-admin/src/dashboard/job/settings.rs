//! A job's settings, and where each comes from.

use std::time::Duration;

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use scheduler_core::job::{CatchUp, Job, JobSettings, Setting, Source};
use scheduler_cron::{Language, Trigger, format_duration};

use crate::dashboard::words::Words;

/// A row a setting; those that were given first.
pub(super) fn table(job: &Job, now: DateTime<Utc>, language: Language, words: &Words) -> Markup {
    let settings = job.settings();
    let rows = Setting::ALL.iter().filter_map(|setting| Some((*setting, value(settings, *setting, now, words)?)));
    let (given, unsaid): (Vec<_>, Vec<_>) = rows.partition(|(setting, _)| job.source_of(*setting) != Source::Default);
    // A trigger is always given, and by what gave everything else.
    let by = if job.is_annotated() { Source::Attribute } else { Source::Builder };
    html! {
        table class="settings" {
            thead { tr { @for name in [words.setting, words.value, words.comes_from] { th scope="col" { (name) } } } }
            tbody {
                tr {
                    td { (words.schedule) }
                    td { (settings.trigger.describe(language)) small { code { (settings.trigger) } } }
                    td { span class="source given" { (words.source_of(by)) } }
                }
                @for (setting, value) in given.into_iter().chain(unsaid) {
                    @let source = job.source_of(setting);
                    tr {
                        td { code { (setting) } }
                        td { (value) }
                        td { span class={ "source" @if source != Source::Default { " given" } } { (words.source_of(source)) } }
                    }
                }
            }
        }
    }
}

/// The gap between the next two occurrences.
fn period(settings: &JobSettings, now: DateTime<Utc>) -> Duration {
    settings.period(settings.trigger.next_after(now).unwrap_or(now))
}

/// Whether nothing follows on the trigger's next occurrence, or on its last.
fn is_last(settings: &JobSettings, now: DateTime<Utc>) -> bool {
    let by_schedule = !matches!(settings.trigger, Trigger::After(_) | Trigger::Manual);
    by_schedule && settings.trigger.upcoming(now).nth(1).is_none()
}

/// What a setting is, in force; none for what is shown elsewhere, or does not go with the trigger.
fn value(settings: &JobSettings, setting: Setting, now: DateTime<Utc>, words: &Words) -> Option<String> {
    let is_cron = matches!(settings.trigger, Trigger::Cron(_));
    let yes = |yes: bool| if yes { words.yes } else { words.no }.to_owned();
    let told = |duration: Option<Duration>, unsaid: String| duration.map_or(unsaid, format_duration);
    let text = match setting {
        Setting::Tz if is_cron => settings.zone().to_string(),
        Setting::Enabled => yes(settings.enabled),
        Setting::Retries => settings.retries.to_string(),
        Setting::RetryDelay => {
            let next = settings.trigger.next_after(now).unwrap_or(now);
            told(
                settings.retry_delay,
                format!("{} ({})", format_duration(settings.retry_delay_of(next)), words.half_of),
            )
        }
        Setting::Backoff => settings.backoff.to_string(),
        Setting::MaxRetryDelay => format_duration(settings.max_retry_delay),
        Setting::Timeout => told(settings.timeout, words.no_end.to_owned()),
        Setting::StartDeadline => {
            let period = period(settings, now).min(JobSettings::DEFAULT_PERIOD);
            let unsaid = format!("{} ({})", format_duration(period), words.shorter_of);
            told(settings.start_deadline, if is_last(settings, now) { words.no_end.to_owned() } else { unsaid })
        }
        Setting::CatchUp => settings.catch_up.to_string(),
        Setting::CatchUpWindow => {
            let unsaid = match settings.catch_up {
                _ if is_last(settings, now) => words.no_end.to_owned(),
                CatchUp::All => words.as_far_as_limit.to_owned(),
                _ => format!("{} ({})", format_duration(period(settings, now)), words.one_period),
            };
            told(settings.catch_up_window, unsaid)
        }
        Setting::CatchUpLimit => settings.catch_up_limit.to_string(),
        Setting::Overlap => settings.overlap.to_string(),
        Setting::OnCrash => settings.on_crash.to_string(),
        Setting::OnLostLease => settings.on_lost_lease.to_string(),
        Setting::LeaseTtl => format_duration(settings.lease_ttl),
        Setting::Jitter => format_duration(settings.jitter),
        Setting::EveryInstance => yes(settings.every_instance),
        // The trigger's own text has how its expressions are read, its calendar, and what it does at clock changes.
        _ => return None,
    };
    Some(text)
}
