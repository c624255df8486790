//! What does not go with `every_instance`, by the builder's rules.

use proc_macro2::TokenStream;

use crate::{args::Arg, mistakes::Mistakes};

/// A key with or without a value: alone it means `true`.
pub(crate) const EVERY_INSTANCE: &str = "every_instance";

/// Notes what says what happens later, or elsewhere, beside a run of each instance's own.
pub(crate) fn check(args: &[Arg], mistakes: &mut Mistakes) {
    let mut given = args.iter().filter(|arg| arg.key == EVERY_INSTANCE);
    if !given.any(|arg| arg.value.as_ref().is_none_or(|value| is(value, "true"))) {
        return;
    }
    for Arg { key, value } in args {
        let name = key.to_string();
        let has = |word| value.as_ref().is_some_and(|value| is(value, word));
        let (what, why) = match name.as_str() {
            "after" => ("after", "a chain goes on once, on any instance"),
            "on_crash" if has("rerun") => ("on_crash = rerun", "a run ends with its instance, and none is caught up"),
            "catch_up" if has("all") => ("catch_up = all", "a run ends with its instance, and none is caught up"),
            "catch_up_window" => ("catch_up_window", "a run ends with its instance, and none is caught up"),
            _ => continue,
        };
        let message = format_args!("`{what}` does not go with `every_instance`: {why}");
        mistakes.on(key, message, format_args!("remove `{name}` or `every_instance`"));
    }
}

fn is(value: &TokenStream, word: &str) -> bool {
    value.to_string() == word
}
