//! The rule that decides when: `cron`, `every` or `manual`, and `tz`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use scheduler_cron::{CronError, CronErrorKind, CronExpr, CronTrigger, Language, Trigger, parse_zone};
use syn::LitStr;

use crate::{
    mistakes::Mistakes,
    settings::{SHORTEST, duration},
    value::{Value, range_of},
};

/// The keys that name a trigger.
pub(crate) const TRIGGERS: [&str; 3] = ["cron", "every", "manual"];

/// The keys beside `tz` that say more of `cron`.
pub(crate) const OF_CRON: [&str; 2] = ["dst_gap", "dst_fold"];

/// What the attribute says of when.
#[derive(Default)]
pub(crate) struct When {
    /// The trigger's key, right or wrong.
    key: Option<Ident>,
    zone: Option<(Ident, Option<LitStr>)>,
    /// The keys that go with `cron` alone.
    of_cron: Vec<Ident>,
    /// The trigger as a call of the builder.
    call: TokenStream,
    /// What the key named, if it is right.
    rule: Option<Rule>,
}

/// A trigger that was read.
enum Rule {
    Cron(Vec<CronExpr>),
    Every(Trigger),
    Manual,
}

impl When {
    /// Reads `cron`, `every` or `manual`.
    pub(crate) fn trigger(&mut self, key: &Ident, value: Option<&TokenStream>, mistakes: &mut Mistakes) {
        if let Some(first) = &self.key {
            let message = format_args!("a job has one trigger, and `{key}` would be a second beside `{first}`");
            mistakes.on(key, message, format_args!("remove `{first}` or `{key}`"));
        }
        let call = match (key.to_string().as_str(), value) {
            ("manual", None) => Some((quote!(.manual()), Rule::Manual)),
            ("manual", Some(value)) => {
                mistakes.on(value, "`manual` takes no value", "write `manual` alone");
                None
            }
            (_, None) => {
                let example = if key == "cron" { "30 0 * * *" } else { "5m" };
                mistakes.on(key, format_args!("`{key}` has no value"), format_args!("write `{key} = \"{example}\"`"));
                None
            }
            ("cron", Some(value)) => cron(&Value::new(key, value), mistakes),
            (_, Some(value)) => every(&Value::new(key, value), mistakes),
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

    /// Notes a key that goes with `cron` alone.
    pub(crate) fn goes_with_cron(&mut self, key: &Ident) {
        self.of_cron.push(key.clone());
    }

    /// Reads `tz`.
    pub(crate) fn zone(&mut self, key: &Ident, value: &TokenStream, mistakes: &mut Mistakes) {
        self.goes_with_cron(key);
        let name = Value::new(key, value).text("Asia/Jakarta", mistakes);
        if let Some(name) = &name
            && let Err(error) = parse_zone(&name.value())
        {
            let help = error.help().unwrap_or_else(|| "zones have IANA names, as `Asia/Jakarta`".to_owned());
            mistakes.on(name, error, help);
        }
        self.zone = Some((key.clone(), name));
    }

    /// The trigger in words, once all keys are read.
    pub(crate) fn in_words(&self) -> Option<String> {
        let zone = self.zone.as_ref().and_then(|(_, zone)| zone.as_ref());
        Some(match self.rule.as_ref()? {
            Rule::Cron(expressions) => {
                let zone = zone.map_or_else(|| "UTC".to_owned(), LitStr::value);
                let trigger = CronTrigger::union(expressions.iter().copied(), parse_zone(&zone).ok()?).ok()?;
                trigger.describe(Language::English)
            }
            Rule::Every(trigger) => trigger.describe(Language::English),
            Rule::Manual => Trigger::Manual.describe(Language::English),
        })
    }

    /// The calls of the builder, after all keys.
    pub(crate) fn finish(self, mistakes: &mut Mistakes) -> TokenStream {
        let Some(trigger) = self.key else {
            let help = "add `cron = \"30 0 * * *\"`, `every = \"5m\"` or `manual`";
            mistakes.at(proc_macro2::Span::call_site(), "the job has no trigger", help);
            return TokenStream::new();
        };
        let call = self.call;
        if trigger != "cron" && TRIGGERS.iter().any(|known| trigger == known) {
            for key in self.of_cron {
                let message = format!("`{key}` goes with `cron` alone, and this job has `{trigger}`");
                mistakes.on(&key, message, format_args!("remove `{key}`"));
            }
        }
        match self.zone {
            Some((_, Some(zone))) => quote!(#call.tz(#zone)),
            _ => call,
        }
    }
}

fn cron(value: &Value<'_>, mistakes: &mut Mistakes) -> Option<(TokenStream, Rule)> {
    let texts = value.text_or_texts("30 0 * * *", mistakes)?;
    if texts.is_empty() {
        mistakes.on(value.tokens(), "`cron` has no expression", "write `cron = [\"30 0 * * *\"]`");
        return None;
    }
    // Each is read, so that each mistake is told.
    let expressions: Vec<_> = texts.iter().map(|text| expression(text, mistakes)).collect();
    let expressions = expressions.into_iter().collect::<Option<Vec<_>>>()?;
    let call = match &texts[..] {
        [text] => quote!(.cron(#text)),
        _ => quote!(.cron_any([#(#texts),*])),
    };
    Some((call, Rule::Cron(expressions)))
}

fn expression(text: &LitStr, mistakes: &mut Mistakes) -> Option<CronExpr> {
    match CronExpr::parse(&text.value()) {
        Ok(expression) if expression.never_fires() => {
            let message = format_args!("`{}` never fires: no month it names has such a day", text.value());
            mistakes.on(text, message, "name a day that one of the months has, or make the job `manual`");
            None
        }
        Ok(expression) => Some(expression),
        Err(error) => {
            let help = error.help().map_or_else(|| allowed(&error), str::to_owned);
            mistakes.at(range_of(text, error.span()), format_args!("{error}{}", excerpt(&error)), help);
            None
        }
    }
}

/// The expression with a caret under the mistake, where there is one place to point at: the compiler underlines the
/// whole string.
fn excerpt(error: &CronError) -> String {
    match error.kind() {
        CronErrorKind::Empty | CronErrorKind::TooLong => String::new(),
        _ => error.excerpt().lines().map(|line| format!("\n  {line}")).collect(),
    }
}

fn allowed(error: &CronError) -> String {
    match (error.field(), error.allowed()) {
        (Some(field), Some((first, last))) => format!("the field {field} takes {first} to {last}"),
        _ => "an expression is minute, hour, day of month, month and day of week, as `30 0 * * *`".to_owned(),
    }
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
    Some((quote!(.every(#period)), Rule::Every(trigger)))
}
