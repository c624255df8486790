//! Executions as files. They are sent as they are read, a page at a time, so that a long history takes no memory.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, Uri, header},
    response::Response,
};
use futures_util::stream;
use scheduler_core::{
    execution::Execution,
    identity::ExecutionId,
    store::{ExecutionFilter, ExecutionQuery, PageStart, StoreError},
};
use tracing::warn;

use super::filters;
use crate::{
    dashboard::{Dashboard, visitor::Visitor},
    error::{ApiError, chain},
    execution::{self, ExecutionView, Listed},
    redact, time,
};

/// How many rows are read at once, and how many a file has at most.
const AT_ONCE: usize = 200;
const MOST: usize = 100_000;

/// What a file is around its rows, and a row in it.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    mime: &'static str,
    start: &'static str,
    row: fn(&Dashboard, Execution) -> String,
    between: &'static str,
    end: &'static str,
}

const CSV: Kind = Kind {
    name: "executions.csv",
    mime: "text/csv; charset=utf-8",
    start: "id,job_id,status,reason,origin,attempt,scheduled_at,started_at,finished_at,duration_seconds,instance,triggered_by,message\r\n",
    row: line,
    between: "",
    end: "",
};

const JSON: Kind =
    Kind { name: "executions.json", mime: "application/json", start: "[", row: object, between: ",\n", end: "]\n" };

/// `GET /executions.csv`
pub(in crate::dashboard) async fn csv(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, ApiError> {
    file(dashboard, visitor, &uri, CSV).await
}

/// `GET /executions.json`: an array of what the API tells of an execution.
pub(in crate::dashboard) async fn json(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, ApiError> {
    file(dashboard, visitor, &uri, JSON).await
}

/// A file in the making.
struct Rows {
    dashboard: Dashboard,
    /// Holds their place among those who listen for as long as rows are sent.
    _visitor: Visitor,
    filter: ExecutionFilter,
    before: ExecutionId,
    left: usize,
    /// The first page, which is read before anything is sent.
    first: Option<Vec<Execution>>,
}

impl Rows {
    /// The next page; an empty one at the end.
    async fn page(&mut self) -> Result<Vec<Execution>, StoreError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        let (start, limit) = (PageStart::Before(self.before), AT_ONCE.min(self.left));
        if limit == 0 {
            return Ok(Vec::new());
        }
        let query = ExecutionQuery { filter: self.filter.clone(), start, limit, count: false };
        let rows = self.dashboard.api.handle.executions(&query).await?.executions;
        self.left -= rows.len();
        self.before = rows.last().map_or(self.before, |last| last.id);
        Ok(rows)
    }
}

async fn file(dashboard: Dashboard, mut visitor: Visitor, uri: &Uri, kind: Kind) -> Result<Response, ApiError> {
    let query = filters::query(&dashboard.api.handle, uri)?;
    let Listed { filter, .. } = execution::listed(&dashboard.api.handle, &visitor.caller, &query).await?;
    // Whoever takes a file slowly takes no place from those who ask for a page.
    visitor.caller.goes_to(dashboard.api.limits.stream()?);
    let (before, left) = (ExecutionId(i64::MAX), MOST);
    let mut rows = Rows { dashboard, _visitor: visitor, filter, before, left, first: None };
    // A store that is away is told as on every page, and not by a file that is cut.
    rows.first = Some(rows.page().await?);
    let sent = stream::try_unfold(Some((rows, true)), move |state| async move {
        let Some((mut rows, is_first)) = state else { return Ok(None) };
        let page = rows.page().await.inspect_err(|error| {
            let (file, error) = (kind.name, chain(error));
            warn!(file, error, "a file of executions is cut; whoever asked for it sees that it is not whole");
        })?;
        let mut text = if is_first { kind.start.to_owned() } else { String::new() };
        let is_end = page.is_empty();
        for (nth, row) in page.into_iter().enumerate() {
            text += if is_first && nth == 0 { "" } else { kind.between };
            text += &(kind.row)(&rows.dashboard, row);
        }
        text += if is_end { kind.end } else { "" };
        Ok::<_, StoreError>(Some((Bytes::from(text), (!is_end).then_some((rows, false)))))
    });
    let mut response = Response::new(Body::from_stream(sent));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind.mime));
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", kind.name)).expect("letters and a dot");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// A row as an object of the API's.
fn object(dashboard: &Dashboard, row: Execution) -> String {
    let view = ExecutionView::of(&dashboard.api.handle, row);
    serde_json::to_string(&view).expect("text keys and finite numbers are always JSON")
}

/// A row as a line.
fn line(dashboard: &Dashboard, row: Execution) -> String {
    let zone = time::zone_of(&dashboard.api.handle, &row.job_id);
    let at = |at| time::text_in(at, zone);
    let fields = [
        row.id.to_string(),
        row.job_id.to_string(),
        row.status.to_string(),
        row.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        row.origin.to_string(),
        row.attempt.to_string(),
        at(row.scheduled_at),
        row.started_at.map(at).unwrap_or_default(),
        row.finished_at.map(at).unwrap_or_default(),
        row.duration_seconds.map(|seconds| seconds.to_string()).unwrap_or_default(),
        row.instance.map(|instance| instance.to_string()).unwrap_or_default(),
        row.triggered_by.unwrap_or_default(),
        redact::option(row.message).unwrap_or_default(),
    ];
    fields.map(|field| quoted(&field)).join(",") + "\r\n"
}

/// A field of RFC 4180; what a spreadsheet would take for a formula is no longer one.
fn quoted(field: &str) -> String {
    let guard = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_field_of_a_csv_file_is_no_formula_and_ends_where_it_ends() {
        assert_eq!(quoted("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        for formula in ["=1+1", "+1", "-1", "@a", "\t=1"] {
            assert!(quoted(formula).starts_with("\"'"), "{formula}");
        }
    }
}
