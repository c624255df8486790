//! What is wrong with an annotation, all of it.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use scheduler_cron::nearest;

/// The mistakes found so far; every one is reported, in one build.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    found: Option<syn::Error>,
}

impl Mistakes {
    /// Notes a mistake on these tokens, and how to mend it.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display, help: impl Display) {
        self.add(syn::Error::new_spanned(tokens, format_args!("{message}\nhelp: {help}")));
    }

    /// Notes a mistake at this place, and how to mend it.
    pub(crate) fn at(&mut self, span: Span, message: impl Display, help: impl Display) {
        self.add(syn::Error::new(span, format_args!("{message}\nhelp: {help}")));
    }

    fn add(&mut self, mistake: syn::Error) {
        match &mut self.found {
            Some(found) => found.combine(mistake),
            None => self.found = Some(mistake),
        }
    }

    /// A `compile_error!` for each; nothing where there was none.
    pub(crate) fn into_compile_errors(self) -> Option<TokenStream> {
        self.found.map(|found| found.to_compile_error())
    }
}

/// Points at the nearest valid word, or names them all.
pub(crate) fn did_you_mean(word: &str, valid: &[&str], what: &str) -> String {
    match nearest(word, valid.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{what} are {}", list(valid)),
    }
}

/// `a`, `b` and `c`.
fn list(words: &[&str]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        let before = match index {
            0 => "",
            _ if index + 1 == words.len() => " and ",
            _ => ", ",
        };
        text.push_str(&format!("{before}`{word}`"));
    }
    text
}
