//! What is wrong with an expression, where, and how to mend it.

use std::fmt;
use std::ops::Range;

use crate::field::Field;
use crate::parse::MAX_BYTES;

/// Why an expression was refused: what is wrong, in which field, where in the text, and what to write instead.
///
/// It prints as one line; [`excerpt`](CronError::excerpt) gives the text with a caret line, and `{:#}` everything together.
///
/// ```
/// use scheduler_cron::{CronExpr, Field};
///
/// let error = CronExpr::parse("60 * * * *").unwrap_err();
/// assert_eq!(error.to_string(), "minute `60` is outside 0-59");
/// assert_eq!(error.field(), Some(Field::Minute));
/// assert_eq!(error.allowed(), Some((0, 59)));
/// assert_eq!(error.span(), 0..2);
/// assert_eq!(error.excerpt(), "60 * * * *\n^^");
/// ```
// Boxed: a result is as small as the expression, and the path without a mistake never pays for the words.
#[derive(Clone, PartialEq, Eq)]
pub struct CronError(Box<Detail>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Detail {
    kind: CronErrorKind,
    field: Option<Field>,
    allowed: Option<(u16, u16)>,
    value: String,
    message: String,
    help: Option<String>,
    expression: String,
    span: Range<usize>,
}

/// What kind of mistake a [`CronError`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CronErrorKind {
    /// The expression has more than 256 bytes.
    TooLong,
    /// The expression is empty.
    Empty,
    /// Any number of fields but five, six or seven.
    FieldCount,
    /// A word after `@` that is no nickname, or one beside something else.
    Nickname,
    /// A number outside the field's range.
    OutOfRange,
    /// A range that counts backwards where nothing wraps (years).
    Reversed,
    /// A step that is zero, larger than the field, or follows neither `*` nor a range.
    Step,
    /// A list with nothing between two commas.
    EmptyItem,
    /// A word that is no name in this field.
    Name,
    /// `L`, `W`, `#` or `?` where it has no meaning.
    Special,
    /// A step after `*` in one day field beside a restriction in the other, which implementations read in two ways.
    Ambiguous,
    /// Anything else that is not a value.
    Syntax,
    /// A meaning that another dialect's expression has and no expression here can have.
    Untranslatable,
}

/// A mistake while the expression's text is still at hand.
pub(crate) struct Mistake {
    pub(crate) kind: CronErrorKind,
    pub(crate) field: Option<Field>,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl CronError {
    pub(crate) fn new(text: &str, mistake: Mistake) -> CronError {
        let expression = printable(text);
        // Replaced characters have other lengths: the span follows them.
        let position = |at: usize| printable(&text[..at.min(text.len())]).len().min(expression.len());
        let start = position(mistake.span.start);
        let span = start..position(mistake.span.end).max(start);
        CronError(Box::new(Detail {
            kind: mistake.kind,
            field: mistake.field,
            allowed: mistake.field.map(Field::range),
            value: expression[span.clone()].to_owned(),
            message: visible(&mistake.message).collect(),
            help: mistake.help.map(|help| visible(&help).collect()),
            expression,
            span,
        }))
    }

    /// The error of a dialect whose fields take other numbers.
    pub(crate) fn within(mut self, range: impl Fn(Field) -> (u16, u16)) -> CronError {
        self.0.allowed = self.0.field.map(range);
        self
    }

    /// The kind of mistake.
    pub fn kind(&self) -> CronErrorKind {
        self.0.kind
    }

    /// The field that holds the mistake; none where it is about the whole expression.
    pub fn field(&self) -> Option<Field> {
        self.0.field
    }

    /// The part of the expression that is wrong, at most 256 bytes of it.
    pub fn value(&self) -> &str {
        &self.0.value
    }

    /// The smallest and the largest number that the field takes.
    pub fn allowed(&self) -> Option<(u16, u16)> {
        self.0.allowed
    }

    /// Where the mistake stands, as bytes of [`expression`](CronError::expression).
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }

    /// The expression, at most 256 bytes of it, with control characters replaced by `�`.
    pub fn expression(&self) -> &str {
        &self.0.expression
    }

    /// What to write instead, where that is known.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Two lines: the expression, and carets under the mistake.
    pub fn excerpt(&self) -> String {
        let Detail { expression, span, .. } = &*self.0;
        let before = expression[..span.start].chars().count();
        let under = expression[span.clone()].chars().count().max(1);
        format!("{expression}\n{}{}", " ".repeat(before), "^".repeat(under))
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if f.alternate() {
            for line in self.excerpt().lines() {
                write!(f, "\n  {line}")?;
            }
            if let Some(help) = self.help() {
                write!(f, "\n  help: {help}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tests and `unwrap` print this: the caret says more than the fields would.
        write!(f, "{self:#}")
    }
}

impl std::error::Error for CronError {}

/// At most [`MAX_BYTES`] of the text, as it may be shown.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MAX_BYTES));
    for character in visible(text) {
        if shown.len() + character.len_utf8() > MAX_BYTES {
            break;
        }
        shown.push(character);
    }
    shown
}

/// The text without what a terminal would obey instead of showing: control characters, and those that turn or hide what follows.
fn visible(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().map(|character| match character {
        '\t' => ' ',
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
            char::REPLACEMENT_CHARACTER
        }
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    })
}
