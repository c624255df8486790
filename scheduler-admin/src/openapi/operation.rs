//! An endpoint as an operation.

use axum::http::StatusCode;
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, RefOr, Required, Response, ResponseBuilder, ResponsesBuilder,
    path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn, ParameterStyle},
    request_body::{RequestBody, RequestBodyBuilder},
    schema::{ObjectBuilder, Schema, SchemaFormat, Type},
};

use super::{Answer, Schemas, schema};
use crate::{
    endpoint::{Endpoint, Kind, Parameter, Place},
    error::Code,
};

/// Describes an endpoint.
pub(super) fn of(endpoint: &Endpoint, schemas: &mut Schemas) -> Operation {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(id(endpoint)))
        .summary(Some(endpoint.about))
        .description(Some(format!("Needs the permission `{}`.", endpoint.permission)));
    for name in path_names(endpoint) {
        let (kind, about) =
            if name == "id" { (Kind::Number(1, i64::MAX as u64), "the execution") } else { (Kind::JobId, "the job") };
        operation = operation.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some(about))
                .schema(Some(schema::of(kind))),
        );
    }
    for parameter in endpoint.takes.iter().filter(|parameter| parameter.place != Place::Body) {
        operation = operation.parameter(described(parameter));
    }
    operation.request_body(body(endpoint)).responses(responses(endpoint, schemas)).build()
}

/// `post_job_id_pause`, from the path.
fn id(endpoint: &Endpoint) -> String {
    let method = if endpoint.action.is_some() { "post" } else { "get" };
    let words = endpoint.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<_> = std::iter::once(method).chain(words).collect();
    if words.len() == 1 { "get_jobs".to_owned() } else { words.join("_") }
}

fn path_names(endpoint: &Endpoint) -> impl Iterator<Item = &'static str> {
    endpoint.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn described(parameter: &Parameter) -> ParameterBuilder {
    let place = if parameter.place == Place::Header { ParameterIn::Header } else { ParameterIn::Query };
    let described = ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(place)
        .required(if parameter.needed { Required::True } else { Required::False })
        .description(Some(parameter.about))
        .schema(Some(schema::of(parameter.kind)));
    match parameter.kind {
        // With commas between them.
        Kind::Words(_) => described.style(Some(ParameterStyle::Form)).explode(Some(false)),
        _ => described,
    }
}

fn body(endpoint: &Endpoint) -> Option<RequestBody> {
    endpoint.action?;
    let mut is_needed = false;
    let mut object = ObjectBuilder::new();
    for field in endpoint.fields() {
        object = object.property(field.name, schema::with_about(schema::of(field.kind), field.about));
        if field.needed {
            is_needed = true;
            object = object.required(field.name);
        }
    }
    let object = object.additional_properties(Some(schema::never())).build();
    let content = ContentBuilder::new().schema(Some(Schema::Object(object))).build();
    let required = if is_needed { Required::True } else { Required::False };
    Some(RequestBodyBuilder::new().content("application/json", content).required(Some(required)).build())
}

fn responses(endpoint: &Endpoint, schemas: &mut Schemas) -> utoipa::openapi::Responses {
    let mut responses = ResponsesBuilder::new();
    let answer = (endpoint.data)(schemas);
    for status in endpoint.statuses {
        let mut response = ResponseBuilder::new().description(reason(*status)).build();
        let (kind, schema) = match &answer {
            Answer::Data(data) => ("application/json", Some(schema::envelope(data.clone(), false))),
            Answer::Page(data) => ("application/json", Some(schema::envelope(data.clone(), true))),
            Answer::Events => {
                ("text/event-stream", Some(ObjectBuilder::new().schema_type(Type::String).build().into()))
            }
            Answer::Document => ("application/json", Some(ObjectBuilder::new().build().into())),
        };
        response.content.insert(kind.to_owned(), RefOr::T(ContentBuilder::new().schema(schema).build()));
        if endpoint.is_read_whole() {
            let tag = ObjectBuilder::new().schema_type(Type::String).build();
            response
                .headers
                .insert("ETag".to_owned(), RefOr::T(HeaderBuilder::new().schema(Some(Schema::Object(tag))).build()));
        }
        if matches!(status, 201 | 202) && endpoint.path != "/{job_id}/backfill" {
            let url = ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::Custom("uri-reference".to_owned())));
            response.headers.insert(
                "Location".to_owned(),
                RefOr::T(HeaderBuilder::new().schema(Some(Schema::Object(url.build()))).build()),
            );
        }
        responses = responses.response(status.to_string(), response);
    }
    if endpoint.is_read_whole() {
        responses = responses.response("304", ResponseBuilder::new().description("it has not changed").build());
    }
    for (status, codes) in errors(endpoint) {
        responses = responses.response(status.to_string(), error(status, &codes));
    }
    responses.build()
}

/// With which errors an endpoint may answer.
fn errors(endpoint: &Endpoint) -> Vec<(u16, Vec<Code>)> {
    let mut errors = vec![(401, vec![Code::Unauthenticated]), (403, vec![Code::Forbidden])];
    let names_something = path_names(endpoint).next().is_some();
    let has_body = endpoint.action.is_some();
    let has_parameters = endpoint.takes.iter().any(|parameter| parameter.place != Place::Body);
    if names_something {
        errors.push((404, vec![Code::NotFound]));
    }
    if has_body {
        errors.push((400, vec![Code::InvalidBody]));
        errors.push((413, vec![Code::BodyTooLarge]));
        errors.push((415, vec![Code::UnsupportedMediaType]));
    }
    let mut wrong = Vec::new();
    wrong.extend(has_parameters.then_some(Code::InvalidParameter));
    wrong.extend(has_body.then_some(Code::InvalidBody));
    if !wrong.is_empty() {
        errors.push((422, wrong));
    }
    if !endpoint.conflicts.is_empty() {
        errors.push((409, endpoint.conflicts.to_vec()));
    }
    errors.push((429, vec![Code::RateLimited]));
    errors.push((500, vec![Code::Internal]));
    errors.push((503, vec![Code::Unavailable]));
    errors
}

fn error(status: u16, codes: &[Code]) -> Response {
    let codes: Vec<_> = codes.iter().map(|code| format!("`{}`", code.as_str())).collect();
    let description = format!("{}: {}", reason(status), codes.join(", "));
    let content = ContentBuilder::new().schema(Some(schema::named("Error"))).build();
    ResponseBuilder::new().description(description).content("application/json", content).build()
}

fn reason(status: u16) -> &'static str {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.unwrap_or("an answer")
}
