//! Values of the attribute, each of one kind.

use std::{fmt::Display, time::Duration};

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use scheduler_cron::{DurationError, parse_duration};
use syn::{Expr, Lit, LitStr, UnOp};

use crate::mistakes::{Mistakes, did_you_mean};

/// A key's value on its way to what it means; each method notes why it is none.
pub(crate) struct Value<'a> {
    key: &'a Ident,
    tokens: &'a TokenStream,
}

impl<'a> Value<'a> {
    pub(crate) const fn new(key: &'a Ident, tokens: &'a TokenStream) -> Self {
        Self { key, tokens }
    }

    pub(crate) fn tokens(&self) -> &TokenStream {
        self.tokens
    }

    /// A string.
    pub(crate) fn text(&self, example: &str, mistakes: &mut Mistakes) -> Option<LitStr> {
        self.string().or_else(|| {
            let bare = self.bare().unwrap_or_else(|| example.to_owned());
            self.refuse("a string", format_args!("{bare:?}"), mistakes)
        })
    }

    /// An instant's text, which no number is.
    pub(crate) fn instant_text(&self, example: &str, mistakes: &mut Mistakes) -> Option<LitStr> {
        self.string().or_else(|| self.refuse("an instant in quotes", format_args!("{example:?}"), mistakes))
    }

    /// A duration of at least `shortest`.
    pub(crate) fn duration(&self, shortest: Duration, mistakes: &mut Mistakes) -> Option<Duration> {
        let text = match self.literal() {
            Some(Lit::Str(text)) => text,
            // `timeout = 8m` is one literal, and `timeout = 90` may well mean seconds.
            Some(Lit::Int(number)) => {
                let unit = if number.suffix().is_empty() { "s" } else { "" };
                return self.refuse("a duration in quotes", format_args!("\"{number}{unit}\""), mistakes);
            }
            _ => return self.refuse("a duration in quotes", "\"90s\"", mistakes),
        };
        match parse_duration(&text.value()) {
            Ok(duration) if duration < shortest => {
                let (key, value) = (self.key, text.value());
                let (message, help) = if shortest <= Duration::from_millis(1) {
                    (format!("`{key}` must be longer than nothing"), format!("write `{key} = \"90s\"`"))
                } else {
                    let shortest = scheduler_cron::format_duration(shortest);
                    let message = format!("`{key}` is `{value}`, and must be at least `{shortest}`");
                    (message, format!("write `{key} = \"{shortest}\"` or more"))
                };
                mistakes.on(text, message, help);
                None
            }
            Ok(duration) => Some(duration),
            Err(error) => {
                mistakes.at(part_of(&text, error.part()), &error, DurationError::help(&error));
                None
            }
        }
    }

    /// A whole number from 0.
    pub(crate) fn number(&self, mistakes: &mut Mistakes) -> Option<u32> {
        let whole = "a whole number from 0 to 4294967295";
        match self.literal() {
            Some(Lit::Int(number)) if number.suffix().is_empty() => match number.base10_parse() {
                Ok(number) => Some(number),
                Err(_) => self.refuse(whole, 3, mistakes),
            },
            Some(Lit::Str(text)) => {
                let number: Option<u32> = text.value().parse().ok();
                self.refuse(whole, number.unwrap_or(3), mistakes)
            }
            _ => self.refuse(whole, 3, mistakes),
        }
    }

    /// `true` or `false`.
    pub(crate) fn truth(&self, mistakes: &mut Mistakes) -> Option<bool> {
        match self.literal() {
            Some(Lit::Bool(truth)) => Some(truth.value),
            Some(Lit::Str(text)) if text.value() == "false" => self.refuse("`true` or `false`", false, mistakes),
            _ => self.refuse("`true` or `false`", true, mistakes),
        }
    }

    /// One of a policy's words.
    pub(crate) fn word<T: Clone>(&self, words: &[(&str, T)], mistakes: &mut Mistakes) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let example = names.first().copied().unwrap_or_default();
        let mut tokens = self.tokens.clone().into_iter();
        match (tokens.next(), tokens.next()) {
            (Some(TokenTree::Ident(word)), None) => {
                let name = word.to_string();
                let found = words.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
                if found.is_none() {
                    let help = did_you_mean(&name, &names, "its values");
                    mistakes.on(word, format_args!("`{name}` is not a value of `{}`", self.key), help);
                }
                found
            }
            _ => {
                let quoted = self.quoted().filter(|text| names.contains(&text.as_str()));
                self.refuse("a word without quotes", quoted.as_deref().unwrap_or(example), mistakes)
            }
        }
    }

    /// A string, or a list of them.
    pub(crate) fn text_or_texts(&self, example: &str, mistakes: &mut Mistakes) -> Option<Vec<LitStr>> {
        match syn::parse2(self.tokens.clone()) {
            Ok(Expr::Array(_)) => self.texts(mistakes),
            _ => self.text(example, mistakes).map(|text| vec![text]),
        }
    }

    /// A list of strings.
    pub(crate) fn texts(&self, mistakes: &mut Mistakes) -> Option<Vec<LitStr>> {
        let Ok(Expr::Array(array)) = syn::parse2(self.tokens.clone()) else {
            let one = self.quoted().unwrap_or_else(|| "hr".to_owned());
            return self.refuse("a list of strings", format_args!("[{one:?}]"), mistakes);
        };
        let mut texts = Some(Vec::new());
        for element in &array.elems {
            match element {
                Expr::Lit(literal) if matches!(literal.lit, Lit::Str(_)) => {
                    let Lit::Str(text) = &literal.lit else { unreachable!("matched above") };
                    texts.iter_mut().for_each(|texts| texts.push(text.clone()));
                }
                other => {
                    let bare = other.to_token_stream().to_string();
                    let message = format!("each of `{}` must be a string", self.key);
                    mistakes.on(other, message, format_args!("write `{:?}`", bare.trim_matches('"')));
                    texts = None;
                }
            }
        }
        texts
    }

    fn refuse<T>(&self, kind: &str, example: impl Display, mistakes: &mut Mistakes) -> Option<T> {
        let key = self.key;
        let help = format_args!("write `{key} = {example}`");
        mistakes.on(self.tokens, format_args!("`{key}` must be {kind}"), help);
        None
    }

    fn literal(&self) -> Option<Lit> {
        syn::parse2(self.tokens.clone()).ok()
    }

    fn string(&self) -> Option<LitStr> {
        match self.literal() {
            Some(Lit::Str(text)) if text.suffix().is_empty() => Some(text),
            _ => None,
        }
    }

    /// The text of a string literal.
    fn quoted(&self) -> Option<String> {
        match self.literal() {
            Some(Lit::Str(text)) => Some(text.value()),
            _ => None,
        }
    }

    /// One word or number that lacks its quotes.
    fn bare(&self) -> Option<String> {
        match syn::parse2(self.tokens.clone()) {
            Ok(Expr::Path(path)) => Some(path.to_token_stream().to_string().replace(' ', "")),
            Ok(Expr::Lit(literal)) if matches!(literal.lit, Lit::Int(_)) => Some(literal.to_token_stream().to_string()),
            Ok(Expr::Unary(unary)) if matches!(unary.op, UnOp::Neg(_)) => None,
            _ => None,
        }
    }
}

/// The place of a part of a string literal, where the compiler can tell; else the literal's.
pub(crate) fn part_of(text: &LitStr, part: &str) -> proc_macro2::Span {
    let value = text.value();
    let start = value.find(part).unwrap_or(0);
    range_of(text, start..start + part.len())
}

/// The place of these bytes of a string literal, where the compiler can tell; else the literal's.
pub(crate) fn range_of(text: &LitStr, range: std::ops::Range<usize>) -> proc_macro2::Span {
    let literal = text.token();
    // In a raw string, or one with escapes, bytes of the text are no bytes of the source.
    let plain = literal.to_string() == format!("\"{}\"", text.value());
    let inside = plain.then(|| literal.subspan(range.start + 1..range.end + 1)).flatten();
    inside.unwrap_or_else(|| text.span())
}
