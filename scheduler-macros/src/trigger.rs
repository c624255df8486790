//! The rule that decides when: `cron`, `every`, `at`, `after` or `manual`.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use scheduler_cron::{CronExpr, Language, Trigger, format_duration, parse_instant};
use syn::LitStr;

use crate::{
    clock_changes,
    cron::OfCron,
    job_id,
    mistakes::Mistakes,
    settings::{SHORTEST, duration},
    value::Value,
};

/// The keys that name a trigger.
pub(crate) const TRIGGERS: [&str; 5] = ["cron", "every", "at", "after", "manual"];

/// An instant and a job, for mends.
const INSTANT: &str = "2026-12-31T23:00:00Z";
const JOB: &str = "daily_report";

/// What the attribute says of when.
#[derive(Default)]
pub(crate) struct When {
    /// The trigger's key, right or wrong.
    key: Option<Ident>,
    /// What goes with `cron` alone.
    pub(crate) of_cron: OfCron,
    /// The trigger as a call of the builder.
    call: TokenStream,
    /// What the key named, if it is right.
    rule: Option<Rule>,
}

/// A trigger that was read.
enum Rule {
    Cron(Vec<CronExpr>),
    After(Vec<LitStr>, Trigger),
    /// Of which no other key says more.
    Plain(Trigger),
}

impl When {
    /// Begins with what says how the trigger's value is to be read.
    pub(crate) fn begin(of_cron: OfCron) -> When {
        When { of_cron, ..When::default() }
    }

    /// Reads a key of [`TRIGGERS`].
    pub(crate) fn trigger(&mut self, key: &Ident, value: Option<&TokenStream>, mistakes: &mut Mistakes) {
        if let Some(first) = &self.key {
            let message = format_args!("a job has one trigger, and `{key}` would be a second beside `{first}`");
            mistakes.on(key, message, format_args!("remove `{first}` or `{key}`"));
        }
        let call = match (key.to_string().as_str(), value) {
            ("manual", None) => Some((quote!(.manual()), Rule::Plain(Trigger::Manual))),
            ("manual", Some(value)) => {
                mistakes.on(value, "`manual` takes no value", "write `manual` alone");
                None
            }
            (_, None) => {
                let example = match key.to_string().as_str() {
                    "cron" => "30 0 * * *",
                    "every" => "5m",
                    "at" => INSTANT,
                    _ => JOB,
                };
                mistakes.on(key, format_args!("`{key}` has no value"), format_args!("write `{key} = \"{example}\"`"));
                None
            }
            ("cron", Some(value)) => {
                let read = self.of_cron.expressions(&Value::new(key, value), mistakes);
                read.map(|(call, expressions)| (call, Rule::Cron(expressions)))
            }
            ("every", Some(value)) => every(&Value::new(key, value), mistakes),
            ("at", Some(value)) => at(&Value::new(key, value), mistakes),
            (_, Some(value)) => after(&Value::new(key, value), mistakes),
        };
        if self.key.is_none() {
            self.key = Some(key.clone());
            (self.call, self.rule) = call.map_or_else(Default::default, |(call, rule)| (call, Some(rule)));
        }
    }

    /// Takes a mistyped trigger for one: that none is there would not be news.
    pub(crate) fn mistyped(&mut self, key: &Ident) {
        self.key.get_or_insert_with(|| key.clone());
    }

    /// What the function's docs are to tell of the trigger, once all keys are read: a paragraph each.
    pub(crate) fn told(&self) -> Vec<String> {
        let trigger = match &self.rule {
            None => return Vec::new(),
            Some(Rule::Cron(expressions)) => {
                let Some(trigger) = self.of_cron.trigger(expressions) else { return Vec::new() };
                let clock_changes = clock_changes::paragraph(&trigger);
                let schedule = schedule(&trigger.into());
                return [schedule].into_iter().chain(clock_changes).collect();
            }
            Some(Rule::After(_, trigger) | Rule::Plain(trigger)) => trigger,
        };
        vec![schedule(trigger)]
    }

    /// The jobs that this one runs after.
    pub(crate) fn after(&self) -> &[LitStr] {
        if let Some(Rule::After(jobs, _)) = &self.rule { jobs } else { &[] }
    }

    /// Notes why occurrences can't be put behind their instants by as much.
    pub(crate) fn check_jitter(&self, key: &Ident, jitter: Duration, mistakes: &mut Mistakes) {
        match &self.rule {
            Some(Rule::After(..) | Rule::Plain(Trigger::Manual)) if !jitter.is_zero() => {
                let message = "`jitter` goes with `cron`, `every` or `at` alone";
                mistakes.on(key, message, "remove `jitter`");
            }
            Some(Rule::Plain(Trigger::Every(every))) if jitter > every.period() => {
                let (jitter, period) = (format_duration(jitter), format_duration(every.period()));
                let message = format_args!(
                    "`jitter` is `{jitter}`, and must be at most the period, which is `{period}`: occurrences would change places"
                );
                mistakes.on(key, message, format_args!("write `jitter = \"{period}\"` or less"));
            }
            _ => {}
        }
    }

    /// The calls of the builder, after all keys.
    pub(crate) fn finish(self, mistakes: &mut Mistakes) -> TokenStream {
        let Some(trigger) = self.key else {
            let help = "add `cron = \"30 0 * * *\"`, `every = \"5m\"`, `at`, `after` or `manual`";
            mistakes.at(proc_macro2::Span::call_site(), "the job has no trigger", help);
            return TokenStream::new();
        };
        if trigger != "cron" && TRIGGERS.iter().any(|known| trigger == known) {
            for key in self.of_cron.keys {
                let message = format!("`{key}` goes with `cron` alone, and this job has `{trigger}`");
                mistakes.on(&key, message, format_args!("remove `{key}`"));
            }
        }
        self.call
    }
}

fn schedule(trigger: &Trigger) -> String {
    format!("**Schedule:** {}.", trigger.describe(Language::English))
}

fn every(value: &Value<'_>, mistakes: &mut Mistakes) -> Option<(TokenStream, Rule)> {
    let period = value.duration(SHORTEST, mistakes)?;
    let trigger = match Trigger::every(period) {
        Ok(trigger) => trigger,
        Err(error) => {
            mistakes.on(value.tokens(), error, "write a shorter period");
            return None;
        }
    };
    let period = duration(period);
    Some((quote!(.every(#period)), Rule::Plain(trigger)))
}

fn at(value: &Value<'_>, mistakes: &mut Mistakes) -> Option<(TokenStream, Rule)> {
    let text = value.instant_text(INSTANT, mistakes)?;
    match parse_instant(&text.value()) {
        Ok(instant) => {
            let millis = instant.timestamp_millis();
            Some((quote!(.at_millis(#millis)), Rule::Plain(Trigger::at(instant))))
        }
        Err(error) => {
            mistakes.on(text, &error, error.help());
            None
        }
    }
}

fn after(value: &Value<'_>, mistakes: &mut Mistakes) -> Option<(TokenStream, Rule)> {
    let jobs = value.text_or_texts(JOB, mistakes)?;
    if jobs.is_empty() {
        mistakes.on(value.tokens(), "`after` names no job", format_args!("write `after = \"{JOB}\"`"));
        return None;
    }
    // Each is looked at, so that each mistake is told.
    let mut are_right = true;
    for (nth, job) in jobs.iter().enumerate() {
        let id = job.value();
        if let Some((message, _)) = job_id::problem(&id) {
            mistakes.on(job, message, format_args!("name a job by its id, as `after = \"{JOB}\"`"));
        } else if jobs[..nth].iter().any(|before| before.value() == id) {
            mistakes.on(job, format_args!("`after` names `{id}` twice"), "keep one of the two");
        } else {
            continue;
        }
        are_right = false;
    }
    let trigger = are_right.then(|| Trigger::after(jobs.iter().map(LitStr::value)).ok()).flatten()?;
    Some((quote!(.after([#(#jobs),*])), Rule::After(jobs, trigger)))
}
