//! The attribute `#[scheduled_job]`, which the facade crate `scheduler` re-exports.
//!
//! An annotation is read in one pass that finds every mistake, then expanded: `args` splits the attribute's tokens,
//! `settings`, `trigger`, `cron` and `value` read them, `function` looks at what is annotated, `expand` writes the code.

mod args;
mod clock_changes;
mod cron;
mod every_instance;
mod expand;
mod function;
mod job_id;
mod mistakes;
mod settings;
mod trigger;
mod value;

use proc_macro::TokenStream;

#[doc = include_str!("../docs/scheduled_job.md")]
#[proc_macro_attribute]
pub fn scheduled_job(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(attribute.into(), item.into()).into()
}
