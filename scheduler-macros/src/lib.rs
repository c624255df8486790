//! The attribute `#[scheduled_job]`.

mod args;
mod expand;
mod function;
mod job_id;
mod mistakes;
mod settings;
mod trigger;
mod value;

use proc_macro::TokenStream;

/// Makes a job of an async function.
#[proc_macro_attribute]
pub fn scheduled_job(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(attribute.into(), item.into()).into()
}
