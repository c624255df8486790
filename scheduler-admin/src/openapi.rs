//! The API described in OpenAPI 3.1, made from the table of endpoints and the views.

mod operation;
mod schema;

use std::sync::LazyLock;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, RefOr, SecurityRequirement,
        path::{HttpMethod, PathItem},
        schema::{ArrayBuilder, Schema},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

pub(crate) use schema::words;

use crate::{caller::Caller, endpoint::ENDPOINTS, path::PREFIX};

/// What an endpoint answers, and the schemas that it names.
pub(crate) type Data = fn(&mut Schemas) -> Answer;

/// The schemas by name.
pub(crate) type Schemas = Vec<(String, RefOr<Schema>)>;

/// The shape of what was asked for.
pub(crate) enum Answer {
    /// In the envelope.
    Data(RefOr<Schema>),
    /// In the envelope, with where the next page begins.
    Page(RefOr<Schema>),
    /// Server-sent events.
    Events,
    /// A document of its own.
    Document,
}

/// One of these.
pub(crate) fn one<T: ToSchema>(schemas: &mut Schemas) -> Answer {
    Answer::Data(named::<T>(schemas))
}

/// All of them.
pub(crate) fn list<T: ToSchema>(schemas: &mut Schemas) -> Answer {
    Answer::Data(array(named::<T>(schemas)))
}

/// Some of them.
pub(crate) fn page<T: ToSchema>(schemas: &mut Schemas) -> Answer {
    Answer::Page(array(named::<T>(schemas)))
}

/// What is heard, one after the other.
pub(crate) fn events(_: &mut Schemas) -> Answer {
    Answer::Events
}

/// The document itself.
pub(crate) fn itself(_: &mut Schemas) -> Answer {
    Answer::Document
}

/// `GET /openapi.json`
pub(crate) async fn document(_: Caller) -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(text);
    let mut response = Response::new(Body::from(TEXT.as_str()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The document as it is served and committed.
pub(crate) fn text() -> String {
    api().to_pretty_json().expect("text keys are always JSON") + "\n"
}

fn api() -> OpenApi {
    let mut schemas = Schemas::new();
    let mut paths = PathsBuilder::new();
    for endpoint in ENDPOINTS {
        let method = if endpoint.action.is_some() { HttpMethod::Post } else { HttpMethod::Get };
        let path = format!("{PREFIX}{}", endpoint.path);
        paths = paths.path(path, PathItem::new(method, operation::of(endpoint, &mut schemas)));
    }
    schemas.push(("Error".to_owned(), schema::error().into()));
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let components = ComponentsBuilder::new().schemas_from_iter(schemas).security_scheme("bearer", bearer).build();
    let about = "Jobs, their executions, and what operators do with them. Every answer but a stream of events is an \
                 envelope; an error's `code` is stable, its `message` is for people.";
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Scheduler admin API").version("1").description(Some(about)).build())
        .paths(paths.build())
        .components(Some(components))
        .security(Some([SecurityRequirement::new("bearer", [""; 0])]))
        .build()
}

fn named<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    let name = T::name().into_owned();
    T::schemas(schemas);
    schemas.push((name.clone(), <T as PartialSchema>::schema()));
    RefOr::Ref(Ref::from_schema_name(name))
}

fn array(items: RefOr<Schema>) -> RefOr<Schema> {
    ArrayBuilder::new().items(items).build().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_the_one_that_is_served() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(file, text()).expect("it is written");
        }
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert!(committed == text(), "`UPDATE_OPENAPI=1 cargo test -p scheduler-admin openapi` writes it anew");
    }

    #[test]
    fn the_document_is_of_openapi_3_1_and_names_no_schema_that_it_lacks() {
        let document: serde_json::Value = serde_json::from_str(&text()).expect("JSON");
        assert!(
            document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")),
            "{}",
            document["openapi"]
        );
        assert_eq!(document["paths"].as_object().expect("paths").len(), ENDPOINTS.len());
        let text = document.to_string();
        for (at, start) in text.match_indices("\"#/components/schemas/") {
            let name = &text[at + start.len()..][..text[at + start.len()..].find('"').expect("it ends")];
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
