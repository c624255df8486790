//! The attribute's keys, read into calls of the builder.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{LitStr, parse::Parser};

use crate::{
    args::Arg,
    cron::{OF_CRON, OfCron},
    every_instance::{self, EVERY_INSTANCE},
    job_id,
    mistakes::{Mistakes, did_you_mean},
    trigger::{TRIGGERS, When},
    value::Value,
};

/// Every key, in the order of the documentation.
const KEYS: [&str; 31] = [
    "id",
    "cron",
    "every",
    "at",
    "after",
    "manual",
    "tz",
    "dialect",
    "except",
    "dst_gap",
    "dst_fold",
    "name",
    "description",
    "tags",
    "enabled",
    "retries",
    "retry_delay",
    "backoff",
    "max_retry_delay",
    "timeout",
    "start_deadline",
    "catch_up",
    "catch_up_window",
    "catch_up_limit",
    "overlap",
    "on_crash",
    "on_lost_lease",
    "lease_ttl",
    "jitter",
    "every_instance",
    "crate",
];

/// The shortest lease, as `JobSettings::SHORTEST_LEASE`.
const SHORTEST_LEASE: Duration = Duration::from_secs(2);

/// The shortest duration that is longer than nothing.
pub(crate) const SHORTEST: Duration = Duration::from_millis(1);

/// What the attribute says.
pub(crate) struct Settings {
    /// The id, where one was given.
    pub(crate) id: Option<LitStr>,
    /// Whether there is an `id`, right or wrong.
    pub(crate) id_given: bool,
    /// The path of the facade.
    pub(crate) scheduler: TokenStream,
    /// Whether the function's doc comment is not asked for.
    pub(crate) described: bool,
    /// Everything but the id, as calls of the builder.
    pub(crate) calls: TokenStream,
    /// When the job is due, in words: paragraphs for the function's docs.
    pub(crate) told: Vec<String>,
    /// How far behind its instant an occurrence may be put.
    jitter: Duration,
    /// The jobs that this one runs after.
    pub(crate) after: Vec<LitStr>,
}

/// Reads every key.
pub(crate) fn read(args: &[Arg], mistakes: &mut Mistakes) -> Settings {
    let mut when = When::begin(OfCron::begin(args, mistakes));
    let mut settings = Settings {
        id: None,
        id_given: args.iter().any(|arg| arg.key == "id"),
        scheduler: quote!(::scheduler),
        described: false,
        calls: TokenStream::new(),
        told: Vec::new(),
        jitter: Duration::ZERO,
        after: Vec::new(),
    };
    // The policies' types are named by the facade's path, which may come last.
    if let Some(path) = args.iter().find(|arg| arg.key == "crate").and_then(|arg| facade(arg, mistakes)) {
        settings.scheduler = path;
    }
    let mut seen: Vec<&Ident> = Vec::new();
    for Arg { key, value } in args {
        if seen.contains(&key) {
            mistakes.on(key, format_args!("`{key}` is given twice"), "keep one of the two");
            continue;
        }
        seen.push(key);
        let name = key.to_string();
        match value {
            _ if TRIGGERS.contains(&name.as_str()) => when.trigger(key, value.as_ref(), mistakes),
            _ if !KEYS.contains(&name.as_str()) => {
                let help = did_you_mean(&name, &KEYS, "the keys");
                if TRIGGERS.iter().any(|trigger| help.contains(&format!("mean `{trigger}`"))) {
                    when.mistyped(key);
                }
                mistakes.on(key, format_args!("unknown key `{name}`"), help);
            }
            None if name == EVERY_INSTANCE => settings.calls.extend(call(EVERY_INSTANCE, quote!(true))),
            None => mistakes.on(key, format_args!("`{key}` has no value"), format_args!("write `{key} = value`")),
            Some(_) if name == "crate" => {}
            Some(value) if OF_CRON.contains(&name.as_str()) => {
                settings.calls.extend(when.of_cron.read(key, value, &settings.scheduler, mistakes));
            }
            Some(value) => settings.read(&name, &Value::new(key, value), mistakes),
        }
    }
    every_instance::check(args, mistakes);
    if let Some(arg) = args.iter().find(|arg| arg.key == "jitter") {
        when.check_jitter(&arg.key, settings.jitter, mistakes);
    }
    settings.told = when.told();
    settings.after = when.after().to_vec();
    let when = when.finish(mistakes);
    let calls = settings.calls;
    settings.calls = quote!(#when #calls);
    settings
}

impl Settings {
    /// Reads a key that stands for itself.
    fn read(&mut self, key: &str, value: &Value<'_>, mistakes: &mut Mistakes) {
        let krate = &self.scheduler;
        let call = match key {
            "id" => {
                self.id = value.text("daily_report", mistakes);
                if let Some(id) = &self.id
                    && let Some((message, help)) = job_id::problem(&id.value())
                {
                    mistakes.on(id, message, help);
                }
                None
            }
            "name" => value.text("Daily report", mistakes).map(|text| call(key, quote!(#text))),
            "description" => {
                self.described = true;
                value.text("Sends the report of the day.", mistakes).map(|text| call(key, quote!(#text)))
            }
            "tags" => value.texts(mistakes).map(|tags| call(key, tag_list(&tags))),
            "enabled" | EVERY_INSTANCE => value.truth(mistakes).map(|is_so| call(key, quote!(#is_so))),
            "retries" | "catch_up_limit" => value.number(mistakes).map(|number| call(key, quote!(#number))),
            "retry_delay" | "max_retry_delay" | "catch_up_window" => {
                value.duration(Duration::ZERO, mistakes).map(|length| call(key, duration(length)))
            }
            "timeout" | "start_deadline" => {
                value.duration(SHORTEST, mistakes).map(|length| call(key, duration(length)))
            }
            "jitter" => value.duration(Duration::ZERO, mistakes).map(|length| {
                self.jitter = length;
                call(key, duration(length))
            }),
            "lease_ttl" => value.duration(SHORTEST_LEASE, mistakes).map(|length| call(key, duration(length))),
            _ => policy(key, value, mistakes).map(|(policy, variant)| {
                let (policy, variant) = (Ident::new(policy, Span::call_site()), Ident::new(variant, Span::call_site()));
                call(key, quote!(#krate::job::#policy::#variant))
            }),
        };
        self.calls.extend(call);
    }
}

/// A policy's word as its type and variant.
fn policy(key: &str, value: &Value<'_>, mistakes: &mut Mistakes) -> Option<(&'static str, &'static str)> {
    let (policy, words): (_, &[_]) = match key {
        "backoff" => ("Backoff", &[("fixed", "Fixed"), ("exponential", "Exponential")]),
        "catch_up" => ("CatchUp", &[("latest", "Latest"), ("skip", "Skip"), ("all", "All")]),
        "overlap" => (
            "OverlapPolicy",
            &[("skip", "Skip"), ("allow", "Allow"), ("queue_one", "QueueOne"), ("cancel_running", "CancelRunning")],
        ),
        "on_crash" => ("OnCrash", &[("abandon", "Abandon"), ("rerun", "Rerun")]),
        "on_lost_lease" => ("OnLostLease", &[("cancel", "Cancel"), ("ignore", "Ignore")]),
        other => unreachable!("`{other}` is in `KEYS` and has no reader"),
    };
    value.word(words, mistakes).map(|variant| (policy, variant))
}

/// A call of the builder's method of the key's name.
fn call(key: &str, value: TokenStream) -> TokenStream {
    let method = Ident::new(key, Span::call_site());
    quote!(.#method(#value))
}

fn tag_list(tags: &[LitStr]) -> TokenStream {
    // An empty list has no type of its own.
    if tags.is_empty() { quote!([""; 0]) } else { quote!([#(#tags),*]) }
}

/// A duration, as code.
pub(crate) fn duration(duration: Duration) -> TokenStream {
    let millis = u64::try_from(duration.as_millis()).expect("a duration is read from whole milliseconds in a `u64`");
    quote!(::core::time::Duration::from_millis(#millis))
}

/// The path that `crate` gives.
fn facade(arg: &Arg, mistakes: &mut Mistakes) -> Option<TokenStream> {
    let value = arg.value.as_ref()?;
    match syn::Path::parse_mod_style.parse2(value.clone()) {
        Ok(_) => Some(value.clone()),
        Err(_) => {
            mistakes.on(value, "`crate` must be a path without quotes", "write `crate = my_crate::scheduler`");
            None
        }
    }
}
