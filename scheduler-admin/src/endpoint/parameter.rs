//! What endpoints take.

/// Something that a request may say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    /// Whether it must be given.
    pub(crate) needed: bool,
    pub(crate) about: &'static str,
}

/// Where a request says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Query,
    Header,
    Body,
}

/// What it must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Any,
    Flag,
    /// Within these ends.
    Number(u64, u64),
    /// Several of these, with commas between them.
    Words(fn() -> Vec<&'static str>),
    /// One of these.
    Word(fn() -> Vec<&'static str>),
    Instant,
    /// From a second to a minute.
    Wait,
    Uuid,
    JobId,
    /// An idempotency key.
    Key,
    Text,
    /// A text of at most so many characters.
    Line(u64),
}

pub(super) const fn query(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter { name, place: Place::Query, kind, needed: false, about }
}

pub(super) const fn header(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter { place: Place::Header, ..query(name, kind, about) }
}

pub(super) const fn body(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter { place: Place::Body, ..query(name, kind, about) }
}

pub(super) const fn needed(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter { needed: true, ..body(name, kind, about) }
}
