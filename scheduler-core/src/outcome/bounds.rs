//! How much of what a run says is kept, and in which characters.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde_json::{Value, json};

use super::Outcome;
use crate::redact;

/// What stands for a character that no store and no terminal should be given.
const REPLACEMENT: char = '\u{fffd}';

impl Outcome {
    /// How many bytes of a message are kept; a longer one is cut, and says how long it was.
    pub const LONGEST_MESSAGE: usize = 8 * 1024;
    /// How many bytes of an error's chain and backtrace are kept; a longer one is cut, and says how long it was.
    pub const LONGEST_TRACE: usize = 64 * 1024;
    /// How many bytes of JSON the data may have. Larger data is not kept: in its place is
    /// `{"too_large": {"bytes": …, "limit": …}}`.
    pub const LARGEST_DATA: usize = 64 * 1024;
    /// How deep the data may be nested, which every reader of JSON takes. Deeper data is not kept: in its place is
    /// `{"too_deep": {"limit": …}}`.
    pub const DEEPEST_DATA: usize = 100;
}

/// How much longer than what is kept of a text a secret at its end may be, to be found.
pub(crate) const SECRET_ROOM: usize = 4 * 1024;

/// The text without secrets ([`redact`]), its control characters replaced, but for tabs and ends of lines, and cut to this
/// many bytes.
pub(crate) fn bounded_text(mut text: String, limit: usize) -> String {
    let length = text.len();
    text.truncate(text.floor_char_boundary(limit + SECRET_ROOM));
    cut_text(text, length, limit)
}

/// The same of a text that was so long, of which there is as much as may be kept and the room for a secret.
pub(crate) fn cut_text(mut text: String, length: usize, limit: usize) -> String {
    let is_cut = text.len() < length;
    if let Cow::Owned(redacted) = redact::text(&text) {
        text = redacted;
    }
    text = printable(text);
    if is_cut || text.len() > limit {
        let note = format!("… (cut, {length} bytes)");
        text.truncate(text.floor_char_boundary(limit - note.len()));
        text += &note;
    }
    text
}

fn printable(text: String) -> String {
    let is_kept = |character: char| !character.is_control() || matches!(character, '\n' | '\t');
    if text.chars().all(is_kept) {
        return text;
    }
    text.chars().map(|character| if is_kept(character) { character } else { REPLACEMENT }).collect()
}

/// The data, or what says that it is not kept. NUL, which PostgreSQL can't make text of, is replaced.
pub(crate) fn bounded_data(mut data: Value) -> Value {
    if !is_within(&data, Outcome::DEEPEST_DATA) {
        return json!({"too_deep": {"limit": Outcome::DEEPEST_DATA}});
    }
    let mut count = Count::default();
    serde_json::to_writer(&mut count, &data).expect("a value has text keys, and a count takes every byte");
    if count.bytes > Outcome::LARGEST_DATA {
        return json!({"too_large": {"bytes": count.bytes, "limit": Outcome::LARGEST_DATA}});
    }
    if count.has_escapes {
        replace_nul(&mut data);
    }
    data
}

/// Whether the data is nested no deeper than this.
fn is_within(data: &Value, depth: usize) -> bool {
    let is_within = |data| depth > 0 && is_within(data, depth - 1);
    match data {
        Value::Array(items) => items.iter().all(is_within),
        Value::Object(fields) => fields.values().all(is_within),
        _ => true,
    }
}

fn replace_nul(data: &mut Value) {
    let replaced = |text: &str| text.replace('\0', &REPLACEMENT.to_string());
    match data {
        Value::String(text) if text.contains('\0') => *text = replaced(text),
        Value::Array(items) => items.iter_mut().for_each(replace_nul),
        Value::Object(fields) => {
            fields.values_mut().for_each(replace_nul);
            if fields.keys().any(|key| key.contains('\0')) {
                *fields = std::mem::take(fields).into_iter().map(|(key, value)| (replaced(&key), value)).collect();
            }
        }
        _ => {}
    }
}

/// Counts bytes and keeps none: the text of data that is too large is never in memory.
#[derive(Debug, Default)]
struct Count {
    bytes: usize,
    /// Whether anything was escaped, as NUL is.
    has_escapes: bool,
}

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len();
        self.has_escapes |= bytes.contains(&b'\\');
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_text_is_cut_and_says_how_long_it_was() {
        let text = bounded_text("é".repeat(1 << 19), 8_192);
        assert!(text.ends_with("é… (cut, 1048576 bytes)"), "{}", &text[text.len() - 40..]);
        assert!((8_190..=8_192).contains(&text.len()));
        assert_eq!(bounded_text("x".repeat(8_192), 8_192).len(), 8_192, "what fits is left alone");
    }

    #[test]
    fn secrets_are_left_out_those_too_that_are_cut() {
        let text = bounded_text("see postgres://hris:hunter2@db/hris".to_owned(), 8_192);
        assert_eq!(text, "see postgres://hris:[redacted]@db/hris");
        for (length, shown) in [(8_170, "x password="), (20_000, "x… (cut, 20017 bytes)")] {
            let text = bounded_text(format!("{} password=hunter2", "x".repeat(length)), 8_192);
            let end = &text[8_000..];
            assert!(end.contains(shown) && !text.contains("hunter2") && text.len() <= 8_192, "{end}");
        }
    }

    #[test]
    fn control_characters_are_replaced_and_ends_of_lines_are_not() {
        let text = bounded_text("a\0b\x1b[2Jc\r\n\td\u{9b}".to_owned(), 8_192);
        assert_eq!(text, "a\u{fffd}b\u{fffd}[2Jc\u{fffd}\n\td\u{fffd}");
    }

    #[test]
    fn data_that_is_too_large_or_too_deep_says_so() {
        let large = json!({"text": "x".repeat(Outcome::LARGEST_DATA)});
        assert_eq!(bounded_data(large), json!({"too_large": {"bytes": 65_547, "limit": 65_536}}));
        let fits = json!("x".repeat(Outcome::LARGEST_DATA - 2));
        assert_eq!(bounded_data(fits.clone()), fits);
        let nested = |depth| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(bounded_data(nested(101)), json!({"too_deep": {"limit": 100}}));
        let fits = bounded_data(nested(100));
        assert_eq!(fits, nested(100));
        let read: Value = serde_json::from_str(&fits.to_string()).expect("what is kept is read again");
        assert_eq!(read, fits);
    }

    #[test]
    fn nul_in_data_is_replaced_wherever_it_is() {
        let data = bounded_data(json!({"a\0": ["x\0y", {"b": "\0"}], "c": "\\u0000"}));
        let replaced = json!({"a\u{fffd}": ["x\u{fffd}y", {"b": "\u{fffd}"}], "c": "\\u0000"});
        assert_eq!(data, replaced);
    }

    #[test]
    fn numbers_beyond_two_to_the_53rd_stay_exact() {
        let data = json!({"most": u64::MAX, "least": i64::MIN, "odd": 9_007_199_254_740_993_u64});
        let read: Value = serde_json::from_str(&bounded_data(data.clone()).to_string()).expect("JSON");
        assert_eq!(read, data);
    }

    proptest! {
        #[test]
        fn any_text_fits_its_bound_and_has_no_control_characters(text in any::<String>(), limit in 64_usize..200) {
            let bounded = bounded_text(text.repeat(4), limit);
            prop_assert!(bounded.len() <= limit);
            prop_assert!(bounded.chars().all(|character| !character.is_control() || matches!(character, '\n' | '\t')));
        }
    }
}
