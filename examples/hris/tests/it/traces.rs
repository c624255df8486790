//! Traces: where they go on, and how they are exported.

use std::sync::{Arc, Mutex};

use hris::workforce::{
    Directory, WorkforceServer, demo_employees,
    proto::employee::{ListEmployeesRequest, ListEmployeesResponse, employee_service_server::EmployeeService},
};
use tonic::{Request, Response, Status};

use crate::{process::Process, workforce::LOOPBACK};

const JOB: &str = "auto_create_daily_attendance";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn given() -> String {
    format!("00-{TRACE}-{PARENT}-01")
}

/// A Workforce server that notes in which traces it was asked.
struct Noting {
    directory: Directory,
    traces: Arc<Mutex<Vec<Option<String>>>>,
}

#[tonic::async_trait]
impl EmployeeService for Noting {
    async fn list_employees(
        &self,
        request: Request<ListEmployeesRequest>,
    ) -> Result<Response<ListEmployeesResponse>, Status> {
        let trace = request.metadata().get("traceparent").map(|value| value.to_str().expect("text").to_owned());
        self.traces.lock().expect("no panic").push(trace);
        self.directory.list(request.get_ref()).map(Response::new)
    }
}

/// The server, its URL, and in which traces it was asked.
async fn workforce() -> (WorkforceServer, String, Arc<Mutex<Vec<Option<String>>>>) {
    let traces = Arc::default();
    let service = Noting { directory: Directory::new(demo_employees()), traces: Arc::clone(&traces) };
    let server = WorkforceServer::start_service(LOOPBACK, service).await.expect("a port is free");
    let url = format!("http://{}", server.address());
    (server, url, traces)
}

#[tokio::test]
async fn without_a_collector_the_trace_of_a_request_goes_out_as_it_came() {
    let (_server, url, traces) = workforce().await;
    let hris = Process::start(&[("WORKFORCE_GRPC_URL", &url)]).await;
    assert_eq!(hris.run(JOB, Some(&given())).await["status"], "succeeded");
    assert_eq!(hris.run(JOB, None).await["status"], "succeeded");
    assert_eq!(*traces.lock().expect("no panic"), [Some(given()), None]);
    assert!(hris.stop().await.0);
}

#[cfg(feature = "otlp")]
mod exported {
    use std::{collections::BTreeSet, fs};

    use opentelemetry_proto::tonic::{
        collector::trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
        common::v1::any_value::Value,
        trace::v1::{Span, span::SpanKind, status::StatusCode},
    };
    use tokio::net::TcpListener;
    use tonic::transport::{Server, server::TcpIncoming};

    use super::*;

    type Batches = Arc<Mutex<Vec<ExportTraceServiceRequest>>>;

    /// A collector that keeps what it is sent.
    struct Collector(Batches);

    #[tonic::async_trait]
    impl TraceService for Collector {
        async fn export(
            &self,
            request: Request<ExportTraceServiceRequest>,
        ) -> Result<Response<ExportTraceServiceResponse>, Status> {
            self.0.lock().expect("no panic").push(request.into_inner());
            Ok(Response::new(ExportTraceServiceResponse::default()))
        }
    }

    async fn collector() -> (String, Batches) {
        let listener = TcpListener::bind(LOOPBACK).await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let batches = Batches::default();
        let server = Server::builder().add_service(TraceServiceServer::new(Collector(Arc::clone(&batches))));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        (url, batches)
    }

    /// The spans, with the service that each is of.
    fn spans(batches: &Batches) -> Vec<(String, Span)> {
        let batches = batches.lock().expect("no panic");
        let resources = batches.iter().flat_map(|batch| &batch.resource_spans);
        let of = |resource: &opentelemetry_proto::tonic::trace::v1::ResourceSpans| {
            let attributes = resource.resource.iter().flat_map(|resource| &resource.attributes);
            let name = attributes
                .filter(|attribute| attribute.key == "service.name")
                .find_map(|name| text(name.value.as_ref()?.value.as_ref()?));
            name.unwrap_or_default()
        };
        resources
            .flat_map(|resource| {
                let service = of(resource);
                resource
                    .scope_spans
                    .iter()
                    .flat_map(|scope| &scope.spans)
                    .map(move |span| (service.clone(), span.clone()))
            })
            .collect()
    }

    fn text(value: &Value) -> Option<String> {
        if let Value::StringValue(text) = value { Some(text.clone()) } else { None }
    }

    fn hex(id: &[u8]) -> String {
        id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The names in `docs/telemetry.md`'s table of the span's fields.
    fn told() -> BTreeSet<String> {
        let page =
            fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/telemetry.md")).expect("is there");
        let (_, below) = page.split_once("## Spans\n").expect("the heading is there");
        let rows = below.split("\n## ").next().unwrap_or_default().lines().filter_map(|row| row.strip_prefix("| `"));
        rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned())).collect()
    }

    #[tokio::test]
    async fn each_execution_is_one_span_in_its_trace_and_calls_out_as_that_span() {
        let (_server, url, traces) = workforce().await;
        let (collector, batches) = collector().await;
        let hris = Process::start(&[("WORKFORCE_GRPC_URL", &url), ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector)]).await;
        let runs = [hris.run(JOB, Some(&given())).await, hris.run(JOB, None).await];
        // Stopping sends what the next batch would.
        assert!(hris.stop().await.0);

        let spans = spans(&batches);
        assert_eq!(spans.len(), 2, "{spans:#?}");
        let traces = traces.lock().expect("no panic").clone();
        for (nth, run) in runs.iter().enumerate() {
            let is_of_run = |span: &Span| {
                let id = |value: &Value| matches!(value, Value::IntValue(id) if Some(*id) == run["id"].as_i64());
                let ids = span.attributes.iter().filter(|attribute| attribute.key == "scheduler.execution.id");
                ids.filter_map(|attribute| attribute.value.as_ref()?.value.as_ref()).any(id)
            };
            let (service, span) = spans.iter().find(|(_, span)| is_of_run(span)).expect("its span is there");
            assert_eq!((service.as_str(), span.name.as_str()), ("hris", "job auto_create_daily_attendance"));
            assert_eq!(span.kind(), SpanKind::Internal);
            assert_eq!(span.status.as_ref().map(|status| status.code()), Some(StatusCode::Ok));
            let names: BTreeSet<_> = span.attributes.iter().map(|attribute| attribute.key.clone()).collect();
            let unsaid = ["otel.name", "otel.kind", "otel.status_code", "error.type", "scheduler.reason"];
            let expected: BTreeSet<_> = told().into_iter().filter(|name| !unsaid.contains(&name.as_str())).collect();
            assert_eq!(names, expected);
            let (trace, id) = (hex(&span.trace_id), hex(&span.span_id));
            if nth == 0 {
                assert_eq!((trace.as_str(), hex(&span.parent_span_id).as_str()), (TRACE, PARENT));
            } else {
                assert_ne!(trace, TRACE);
                assert_eq!(span.parent_span_id, Vec::<u8>::new(), "it begins a trace");
            }
            assert_eq!(traces[nth], Some(format!("00-{trace}-{id}-01")));
        }
    }

    #[tokio::test]
    async fn a_collector_that_is_away_is_told_of_once_and_keeps_nothing_from_running() {
        let nobody = TcpListener::bind(LOOPBACK).await.expect("a port is free").local_addr().expect("an address");
        let endpoint = format!("http://{nobody}");
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
        let mut hris = Process::start(&variables).await;
        let away = "the collector of spans does not answer";
        assert_eq!(hris.run(JOB, None).await["status"], "succeeded");
        hris.has_logged(away).await;
        assert_eq!(hris.run(JOB, None).await["status"], "succeeded");
        let (success, logged) = hris.stop().await;
        assert!(success, "{logged:#?}");
        assert_eq!(logged.iter().filter(|line| line.contains(away)).count(), 1, "{logged:#?}");
    }
}
