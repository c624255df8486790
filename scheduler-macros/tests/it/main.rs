//! Annotated functions, run and refused.

#![forbid(unsafe_code)]
#![forbid(non_camel_case_types, missing_debug_implementations, missing_docs, unreachable_pub)]

mod engine;
mod runs;
mod ui;
