//! An event as a line of text.

use std::fmt::{self, Write};

use tracing::{
    Event,
    field::{Field, Visit},
};

use super::LONGEST_LINE;
use crate::{
    outcome::{SECRET_ROOM, cut_text},
    redact,
};

/// The event's message, and behind it its other fields: `wrote a page page=3`.
pub(super) fn line(event: &Event<'_>) -> String {
    let mut line = Line::default();
    event.record(&mut line);
    let Line { message, fields } = line;
    if message.length == 0 {
        let text = fields.text.strip_prefix(' ').unwrap_or_default().to_owned();
        return cut_text(text, fields.length.saturating_sub(1), LONGEST_LINE);
    }
    cut_text(message.text + &fields.text, message.length + fields.length, LONGEST_LINE)
}

#[derive(Debug, Default)]
struct Line {
    message: Bounded,
    fields: Bounded,
}

impl Line {
    fn field(&mut self, name: &str, value: fmt::Arguments<'_>) {
        if redact::is_secret_name(name) {
            self.fields.add(format_args!(" {name}={}", redact::REDACTED));
        } else {
            self.fields.add(format_args!(" {name}={value}"));
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message.add(format_args!("{value:?}")),
            // `r#type` is `type`.
            name => self.field(name.strip_prefix("r#").unwrap_or(name), format_args!("{value:?}")),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.add(format_args!("{value}"));
        } else {
            self.record_debug(field, &value);
        }
    }
}

/// As much of a text as may be kept, and how long it was: a megabyte of it is never in memory twice.
#[derive(Debug, Default)]
struct Bounded {
    text: String,
    length: usize,
}

impl Bounded {
    fn add(&mut self, text: fmt::Arguments<'_>) {
        // A value that can't be written as text has as much of it as came.
        let _ = self.write_fmt(text);
    }
}

impl Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.length += piece.len();
        let room = (LONGEST_LINE + SECRET_ROOM).saturating_sub(self.text.len());
        self.text.push_str(&piece[..piece.floor_char_boundary(room)]);
        Ok(())
    }
}
