//! Schemas that no view has of its own.

use scheduler_core::{
    logs::LogLevel,
    occurrence::Origin,
    status::{Reason, Status},
    store::Action,
};
use utoipa::openapi::{
    Ref, RefOr,
    schema::{
        AdditionalProperties, Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat,
        SchemaType, Type,
    },
};

use crate::{endpoint::Kind, error::Code};

/// Words that are one of a few.
pub(crate) mod words {
    use super::{Action, LogLevel, Object, Origin, Reason, Status, word};

    pub(crate) fn status() -> Object {
        word(Status::ALL.iter().map(|word| word.as_str()), false)
    }

    pub(crate) fn some_status() -> Object {
        word(Status::ALL.iter().map(|word| word.as_str()), true)
    }

    pub(crate) fn origin() -> Object {
        word(Origin::ALL.iter().map(|word| word.as_str()), false)
    }

    pub(crate) fn reason() -> Object {
        word(Reason::ALL.iter().map(|word| word.as_str()), true)
    }

    pub(crate) fn level() -> Object {
        word(LogLevel::ALL.iter().map(|word| word.as_str()), false)
    }

    pub(crate) fn action() -> Object {
        word(Action::ALL.iter().map(|word| word.as_str()), false)
    }
}

fn word(words: impl Iterator<Item = &'static str>, or_null: bool) -> Object {
    let null = or_null.then_some(serde_json::Value::Null);
    let words: Vec<_> = words.map(serde_json::Value::from).chain(null).collect();
    let kind = match or_null {
        true => SchemaType::Array(vec![Type::String, Type::Null]),
        false => SchemaType::Type(Type::String),
    };
    ObjectBuilder::new().schema_type(kind).enum_values(Some(words)).build()
}

/// What a parameter must be.
pub(super) fn of(kind: Kind) -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let object = match kind {
        Kind::Any => ObjectBuilder::new().schema_type(SchemaType::AnyValue),
        Kind::Flag => ObjectBuilder::new().schema_type(Type::Boolean),
        Kind::Number(least, most) => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(least))
            .maximum(Some(most)),
        Kind::Words(words) => return array(word(words().into_iter(), false)).into(),
        Kind::Word(words) => return word(words().into_iter(), false).into(),
        Kind::Instant => text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
        Kind::Wait => text().pattern(Some("^([1-9]|[1-5][0-9]|60)s$")),
        Kind::Uuid => text().format(Some(SchemaFormat::Custom("uuid".to_owned()))),
        Kind::JobId => text().pattern(Some("^[a-z0-9][a-z0-9._-]{0,99}$")),
        Kind::Key => text().pattern(Some("^[!-~]{1,200}$")),
        Kind::Text => text(),
        Kind::Line(longest) => text().max_length(usize::try_from(longest).ok()),
    };
    object.build().into()
}

/// The same, with words about it.
pub(super) fn with_about(schema: RefOr<Schema>, about: &str) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            object.description = Some(about.to_owned());
            object.into()
        }
        other => other,
    }
}

/// What nothing is.
pub(super) fn never() -> AdditionalProperties<Schema> {
    AdditionalProperties::FreeForm(false)
}

/// A schema of the document's.
pub(super) fn named(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

/// What was asked for, in its envelope.
pub(super) fn envelope(data: RefOr<Schema>, is_page: bool) -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .property("status", word(["success"].into_iter(), false))
        .required("status")
        .property("message", ObjectBuilder::new().schema_type(Type::String))
        .required("message")
        .property("data", data)
        .required("data");
    let object = if is_page { object.property("meta", meta()).required("meta") } else { object };
    object.build().into()
}

/// An error's envelope.
pub(super) fn error() -> Schema {
    let data = ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::Object, Type::Null]))
        .description(Some("what the code's row says"));
    ObjectBuilder::new()
        .property("status", word(["error"].into_iter(), false))
        .required("status")
        .property(
            "message",
            ObjectBuilder::new().schema_type(Type::String).description(Some("for people; it may change")),
        )
        .required("message")
        .property("code", word(Code::ALL.iter().map(|code| code.as_str()), false))
        .required("code")
        .property("data", data)
        .required("data")
        .build()
        .into()
}

/// Where a page is.
fn meta() -> Object {
    let number = || ObjectBuilder::new().schema_type(Type::Integer);
    let cursor = ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
        .description(Some("where the next page begins; null at the end"));
    ObjectBuilder::new()
        .property("page", number())
        .property("limit", number())
        .required("limit")
        .property("total_items", number())
        .property("total_pages", number())
        .property("next_cursor", cursor)
        .required("next_cursor")
        .build()
}

fn array(items: Object) -> Array {
    ArrayBuilder::new().items(items).build()
}
