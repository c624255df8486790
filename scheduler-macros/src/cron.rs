//! What goes with `cron` alone: the expressions, and the keys that say how they are read and when they do not count.

use std::sync::Arc;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use scheduler_cron::{
    Calendar, ClockChangePolicy, CronError, CronErrorKind, CronExpr, CronTrigger, Dialect, FoldPolicy, GapPolicy,
    parse_zone,
};
use syn::LitStr;

use crate::{
    args::Arg,
    mistakes::{Mistakes, did_you_mean},
    value::{Value, range_of},
};

/// The keys beside `cron` that say more of it.
pub(crate) const OF_CRON: [&str; 5] = ["tz", "dialect", "except", "dst_gap", "dst_fold"];

/// What the keys beside `cron` say.
#[derive(Default)]
pub(crate) struct OfCron {
    dialect: Spelling,
    zone: Option<LitStr>,
    except: Option<LitStr>,
    clock_changes: ClockChangePolicy,
    /// The keys given, right or wrong.
    pub(crate) keys: Vec<Ident>,
}

/// How expressions are written.
#[derive(Default, Clone, Copy)]
enum Spelling {
    #[default]
    Ours,
    Of(Dialect),
    /// In a dialect that can't be told: what an expression means is left open.
    Unknown,
}

impl OfCron {
    /// Reads `dialect`, which says how the expressions are to be read, before any of them.
    pub(crate) fn begin(args: &[Arg], mistakes: &mut Mistakes) -> OfCron {
        let mut of_cron = OfCron::default();
        let given = args.iter().find(|arg| arg.key == "dialect");
        if let Some(Arg { key, value: Some(value) }) = given {
            of_cron.dialect = dialect(&Value::new(key, value), mistakes).map_or(Spelling::Unknown, Spelling::Of);
        }
        of_cron
    }

    /// Reads a key of [`OF_CRON`] into a call of the builder.
    pub(crate) fn read(
        &mut self,
        key: &Ident,
        value: &TokenStream,
        krate: &TokenStream,
        mistakes: &mut Mistakes,
    ) -> Option<TokenStream> {
        self.keys.push(key.clone());
        let value = Value::new(key, value);
        let call = match key.to_string().as_str() {
            "dialect" => match self.dialect {
                Spelling::Of(dialect) => {
                    let dialect = Ident::new(&format!("{dialect:?}"), Span::call_site());
                    quote!(.dialect(#krate::cron::Dialect::#dialect))
                }
                Spelling::Ours | Spelling::Unknown => return None,
            },
            "tz" => {
                let zone = self.zone.insert(zone(&value, mistakes)?);
                quote!(.tz(#zone))
            }
            "except" => {
                let calendar = self.except.insert(calendar(&value, mistakes)?);
                quote!(.except(#calendar))
            }
            "dst_gap" => {
                let words = [("shift", (GapPolicy::Shift, quote!(Shift))), ("skip", (GapPolicy::Skip, quote!(Skip)))];
                let (policy, word) = value.word(&words, mistakes)?;
                self.clock_changes.gap = Some(policy);
                quote!(.dst_gap(#krate::cron::GapPolicy::#word))
            }
            _ => {
                let words = [
                    ("first", (FoldPolicy::First, quote!(First))),
                    ("last", (FoldPolicy::Last, quote!(Last))),
                    ("both", (FoldPolicy::Both, quote!(Both))),
                ];
                let (policy, word) = value.word(&words, mistakes)?;
                self.clock_changes.fold = Some(policy);
                quote!(.dst_fold(#krate::cron::FoldPolicy::#word))
            }
        };
        Some(call)
    }

    /// Reads the value of `cron`: the call of the builder, and the expressions where they can be read.
    pub(crate) fn expressions(
        &self,
        value: &Value<'_>,
        mistakes: &mut Mistakes,
    ) -> Option<(TokenStream, Vec<CronExpr>)> {
        let texts = value.text_or_texts("30 0 * * *", mistakes)?;
        if texts.is_empty() {
            mistakes.on(value.tokens(), "`cron` has no expression", "write `cron = [\"30 0 * * *\"]`");
            return None;
        }
        // Each is read, so that each mistake is told.
        let expressions: Vec<_> = texts.iter().map(|text| self.expression(text, mistakes)).collect();
        let expressions = expressions.into_iter().collect::<Option<Vec<_>>>()?;
        let call = match &texts[..] {
            [text] => quote!(.cron(#text)),
            _ => quote!(.cron_any([#(#texts),*])),
        };
        Some((call, expressions))
    }

    fn expression(&self, text: &LitStr, mistakes: &mut Mistakes) -> Option<CronExpr> {
        let dialect = match self.dialect {
            Spelling::Ours => Dialect::Posix,
            Spelling::Of(dialect) => dialect,
            Spelling::Unknown => return None,
        };
        match CronExpr::parse_dialect(&text.value(), dialect) {
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

    /// The trigger of these expressions, once all keys are read, as far as the compiler can know it: a calendar's days come at run time.
    pub(crate) fn trigger(&self, expressions: &[CronExpr]) -> Option<CronTrigger> {
        let zone = self.zone.as_ref().map_or_else(|| "UTC".to_owned(), LitStr::value);
        let trigger = CronTrigger::union(expressions.iter().copied(), parse_zone(&zone).ok()?).ok()?;
        let trigger = trigger.with_clock_changes(self.clock_changes);
        match &self.except {
            Some(name) => trigger.except(Arc::new(Calendar::parse(&name.value(), "").ok()?)).ok(),
            None => Some(trigger),
        }
    }
}

fn dialect(value: &Value<'_>, mistakes: &mut Mistakes) -> Option<Dialect> {
    let text = value.text("quartz", mistakes)?;
    match known_dialect(&text.value()) {
        Ok(dialect) => Some(dialect),
        Err((message, help)) => {
            mistakes.on(text, message, help);
            None
        }
    }
}

/// The dialect of a name; else what is wrong with it, and the mend.
fn known_dialect(name: &str) -> Result<Dialect, (String, String)> {
    match name {
        "apscheduler" => Ok(Dialect::Apscheduler),
        #[cfg(feature = "quartz")]
        "quartz" => Ok(Dialect::Quartz),
        #[cfg(not(feature = "quartz"))]
        "quartz" => Err(quartz_is_off()),
        _ => {
            let mut mend = did_you_mean(name, &["quartz", "apscheduler"], "the dialects");
            if !mend.ends_with('?') {
                mend.push_str("; without `dialect` an expression is POSIX's");
            }
            Err((format!("unknown dialect `{name}`"), mend))
        }
    }
}

/// The `cron` crate reads that dialect, and only who has such expressions builds it.
#[cfg(any(test, not(feature = "quartz")))]
fn quartz_is_off() -> (String, String) {
    let message = "the dialect `quartz` needs the feature `quartz` of the crate `scheduler`, which is off";
    let help = "write `features = [\"quartz\"]` at `scheduler` in Cargo.toml";
    (message.to_owned(), help.to_owned())
}

fn zone(value: &Value<'_>, mistakes: &mut Mistakes) -> Option<LitStr> {
    let name = value.text("Asia/Jakarta", mistakes)?;
    if let Err(error) = parse_zone(&name.value()) {
        let help = error.help().unwrap_or_else(|| "zones have IANA names, as `Asia/Jakarta`".to_owned());
        mistakes.on(&name, error, help);
    }
    Some(name)
}

fn calendar(value: &Value<'_>, mistakes: &mut Mistakes) -> Option<LitStr> {
    let name = value.text("id-holidays", mistakes)?;
    if name.value().trim().is_empty() {
        let help = "write the name of a calendar that the scheduler is given, as `except = \"id-holidays\"`";
        mistakes.on(&name, "`except` names no calendar", help);
        return None;
    }
    Some(name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_that_is_not_built_in_names_its_feature() {
        let (message, help) = quartz_is_off();
        assert!(message.contains("feature `quartz` of the crate `scheduler`") && help.contains("Cargo.toml"));
        let quartz = known_dialect("quartz");
        assert_eq!(quartz.is_ok(), cfg!(feature = "quartz"));
        if let Err(told) = quartz {
            assert_eq!(told, quartz_is_off());
        }
    }
}
