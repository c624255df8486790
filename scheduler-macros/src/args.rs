//! The attribute's tokens as keys and values.
//!
//! Written by hand, because a parser stops at the first wrong token and this one must find them all.

use std::iter::Peekable;

use proc_macro2::{Ident, TokenStream, TokenTree, token_stream};
use quote::ToTokens;

use crate::mistakes::Mistakes;

/// `key = value`, or a key alone.
#[derive(Debug)]
pub(crate) struct Arg {
    pub(crate) key: Ident,
    /// None for a key alone.
    pub(crate) value: Option<TokenStream>,
}

/// Reads what the attribute's parentheses hold.
///
/// Input: `id = "report", cron = "0 8 * * 1"`. Output: an [`Arg`] for each; what is none is a mistake, and skipped.
pub(crate) fn split(tokens: TokenStream, mistakes: &mut Mistakes) -> Vec<Arg> {
    let mut tokens = tokens.into_iter().peekable();
    let mut args = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(key) => {
                let value = read_value(&key, &mut tokens, mistakes);
                args.extend(value.map(|value| Arg { key, value }));
                end_argument(&mut tokens, mistakes);
            }
            TokenTree::Punct(comma) if comma.as_char() == ',' => {
                mistakes.on(comma, "there is no key before this `,`", "remove it");
            }
            other => {
                let help = "write `key = value`, as `cron = \"30 0 * * *\"`";
                mistakes.on(&other, format_args!("expected a key, found `{other}`"), help);
                skip_argument(&mut tokens);
            }
        }
    }
    args
}

type Tokens = Peekable<token_stream::IntoIter>;

/// What follows a key; `None` where nothing can be made of it.
#[expect(clippy::option_option, reason = "a key without a value is a value here: `manual`")]
fn read_value(key: &Ident, tokens: &mut Tokens, mistakes: &mut Mistakes) -> Option<Option<TokenStream>> {
    match tokens.peek() {
        None | Some(TokenTree::Ident(_)) => return Some(None),
        Some(token) if is_punct(token, ',') => return Some(None),
        Some(token) if is_punct(token, '=') => {}
        Some(token) => {
            let help = format!("write `{key} = value`");
            mistakes.on(token, format_args!("expected `=` after `{key}`, found {}", show(token)), help);
            skip_argument(tokens);
            return None;
        }
    }
    let equals = tokens.next();
    let mut value = TokenStream::new();
    let mut joins_next = true;
    // An identifier after a whole value begins the next argument: the comma between is missing.
    while let Some(token) =
        tokens.next_if(|token| !is_punct(token, ',') && (joins_next || !matches!(token, TokenTree::Ident(_))))
    {
        joins_next = matches!(token, TokenTree::Punct(_));
        token.to_tokens(&mut value);
    }
    if value.is_empty() {
        mistakes.on(equals, format_args!("`{key}` has no value"), format_args!("write `{key} = value`"));
        return None;
    }
    Some(Some(value))
}

/// Passes the comma after an argument.
fn end_argument(tokens: &mut Tokens, mistakes: &mut Mistakes) {
    match tokens.peek() {
        None => {}
        Some(token) if is_punct(token, ',') => drop(tokens.next()),
        Some(next) => mistakes.on(next, format_args!("expected `,` before `{next}`"), "write a `,` between arguments"),
    }
}

fn skip_argument(tokens: &mut Tokens) {
    while tokens.next_if(|token| !is_punct(token, ',')).is_some() {}
    tokens.next();
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn show(token: &TokenTree) -> String {
    let text = token.to_string();
    match token {
        TokenTree::Group(_) => format!("`{}`", &text[..1]),
        _ => format!("`{text}`"),
    }
}
