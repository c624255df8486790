//! Every way in which the Workforce Service fails: the attempt counts or fails, and no row is written twice.

use std::{sync::Arc, time::Duration};

use chrono::{NaiveDate, TimeZone as _};
use hris::{
    Hris,
    attendance::MemoryAttendance,
    jobs::auto_create_daily_attendance,
    workforce::{CallPolicy, Employee, WorkforceClient, proto::employee::ListEmployeesResponse},
};
use scheduler::{
    cron::NamedZone,
    extract::{ScheduledAt, State},
    jobs,
    outcome::{JobError, Outcome, Retry},
    testing,
};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::workforce::{LOOPBACK, PATIENCE, Workforce, client, failing_first};

/// The job, with a table of its own.
struct Run {
    workforce: WorkforceClient,
    rows: Arc<MemoryAttendance>,
}

impl Run {
    fn new(workforce: WorkforceClient) -> Self {
        Self { workforce, rows: Arc::default() }
    }

    /// One attempt at the occurrence of 2025-11-03, 00:30 in Jakarta, which is still the 2nd in UTC.
    async fn attempt(&self, cancellation: CancellationToken) -> Result<Outcome, JobError> {
        let jakarta = NamedZone::from(chrono_tz::Asia::Jakarta);
        let at = jakarta.with_ymd_and_hms(2025, 11, 3, 0, 30, 0).single().expect("exists");
        let hris = Hris::new(self.workforce.clone(), Arc::clone(&self.rows) as _);
        let context = testing::context(&jobs![auto_create_daily_attendance][0], at.to_utc());
        auto_create_daily_attendance(context, ScheduledAt(at), cancellation, State(hris)).await
    }

    async fn message(&self) -> String {
        let outcome = self.attempt(CancellationToken::new()).await.expect("succeeds");
        outcome.message().expect("says what it did").to_owned()
    }

    async fn error(&self) -> String {
        let error = self.attempt(CancellationToken::new()).await.expect_err("fails");
        assert_eq!(error.retry(), Retry::BySettings, "the scheduler tries again");
        error.to_string()
    }

    fn rows(&self) -> usize {
        self.rows.rows_of(NaiveDate::from_ymd_opt(2025, 11, 3).expect("a day"))
    }
}

fn report(total: u32, created: u32, skipped: u32, errors: u32) -> String {
    format!("Auto-create attendance selesai. Total: {total}, Created: {created}, Skipped: {skipped}, Errors: {errors}")
}

#[tokio::test]
async fn every_active_employee_gets_one_row_for_the_day_in_the_jobs_zone() {
    let workforce = Workforce::start().await;
    let run = Run::new(workforce.client());
    assert_eq!(run.message().await, report(2100, 2100, 0, 0));
    assert_eq!(workforce.asked(), [1, 2, 3]);
    assert_eq!(run.rows(), 2100);
    assert_eq!(run.message().await, report(2100, 0, 2100, 0));
    assert_eq!(run.rows(), 2100);
}

#[tokio::test]
async fn a_service_that_is_down_fails_the_attempt_and_is_found_when_it_is_back() {
    let workforce = Workforce::start().await;
    let address = workforce.server.address();
    workforce.server.stop().await.expect("stops");
    let run = Run::new(client(address));
    let error = run.error().await;
    assert!(error.contains("page 1") && error.contains("Unavailable") && error.contains("on try 3"), "{error}");
    assert_eq!(run.rows(), 0);
}

#[tokio::test]
async fn a_page_that_is_unavailable_for_a_moment_is_asked_for_again() {
    let hiccup = failing_first(2, || Status::unavailable("restarting"));
    let workforce = Workforce::with(move |page, _, answer| if page == 2 { hiccup(answer) } else { answer }).await;
    let run = Run::new(workforce.client());
    assert_eq!(run.message().await, report(2100, 2100, 0, 0));
    assert_eq!(workforce.asked(), [1, 2, 2, 2, 3]);
}

#[tokio::test]
async fn an_error_on_page_3_fails_the_attempt_and_the_next_one_skips_what_is_written() {
    let failure = failing_first(1, || Status::internal("no such column"));
    let workforce = Workforce::with(move |page, _, answer| if page == 3 { failure(answer) } else { answer }).await;
    let run = Run::new(workforce.client());
    let error = run.error().await;
    assert!(error.contains("page 3") && error.contains("Internal") && error.contains("`no such column`"), "{error}");
    assert!(error.contains("on try 1"), "an error that stays is not asked for again: {error}");
    assert_eq!(run.rows(), 2000);
    assert_eq!(run.message().await, report(2100, 100, 2000, 0));
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up_at_the_deadline() {
    let workforce = Workforce::with_async(|_, _, _| Box::pin(std::future::pending())).await;
    let policy = CallPolicy { deadline: Duration::from_millis(50), ..PATIENCE };
    let run = Run::new(workforce.client().with_policy(policy));
    let error = run.error().await;
    assert!(error.contains("page 1") && error.contains("on try 3"), "{error}");
    assert_eq!(workforce.asked(), [1, 1, 1]);
}

#[tokio::test]
async fn a_slow_service_is_waited_for_within_the_deadline() {
    let workforce = Workforce::with_async(|_, _, answer| {
        Box::pin(async move {
            // The passing of time is what is tested, across a real connection.
            tokio::time::sleep(Duration::from_millis(30)).await;
            answer
        })
    })
    .await;
    assert_eq!(Run::new(workforce.client()).message().await, report(2100, 2100, 0, 0));
}

#[tokio::test]
async fn a_cancelled_job_leaves_a_service_that_never_answers_at_once() {
    let asked = Arc::new(tokio::sync::Notify::new());
    let signal = Arc::clone(&asked);
    let workforce = Workforce::with_async(move |_, _, _| {
        signal.notify_one();
        Box::pin(std::future::pending())
    })
    .await;
    let run = Run::new(workforce.client());
    let token = CancellationToken::new();
    let cancel = async {
        asked.notified().await;
        token.cancel();
    };
    let (outcome, ()) = tokio::join!(run.attempt(token.clone()), cancel);
    let error = outcome.expect_err("is cancelled").to_string();
    assert_eq!(error, "cancelled before page 1 of the employees was had");
}

#[tokio::test]
async fn a_repeated_page_counts_once() {
    let workforce = Workforce::start().await;
    let first = {
        use hris::workforce::proto::{common::Pagination, employee::ListEmployeesRequest};
        let request = ListEmployeesRequest {
            pagination: Some(Pagination { page: 1, limit: 1000 }),
            is_active: Some(true),
            ..Default::default()
        };
        hris::workforce::Directory::new(crate::workforce::employees()).list(&request).expect("a page")
    };
    workforce.server.stop().await.expect("stops");
    let workforce = Workforce::with(
        move |page, _, answer| if page == 2 { Ok::<ListEmployeesResponse, _>(first.clone()) } else { answer },
    )
    .await;
    let run = Run::new(workforce.client());
    assert_eq!(run.message().await, report(1100, 1100, 0, 0));
    assert_eq!(run.rows(), 1100);
}

#[tokio::test]
async fn a_service_that_repeats_one_page_for_ever_is_left() {
    let workforce = Workforce::with(|page, _, answer| {
        let mut answer = answer?;
        answer.pagination_info.as_mut().expect("given").total_pages = i32::MAX;
        if page > 1 {
            answer.employees = vec![Employee { employee_id: 1, ..Default::default() }; 1000];
        }
        Ok(answer)
    })
    .await;
    let run = Run::new(workforce.client());
    let error = run.error().await;
    assert!(error.contains("goes round in circles"), "{error}");
    assert!(workforce.asked().len() < 20, "{:?}", workforce.asked());
}

#[tokio::test]
async fn an_employee_without_id_is_an_error_and_the_others_go_on() {
    let workforce = Workforce::with(|page, _, answer| {
        let mut answer = answer?;
        if page == 1 {
            answer.employees[7].employee_id = 0;
            answer.employees[8].employee_id = -5;
        }
        Ok(answer)
    })
    .await;
    let run = Run::new(workforce.client());
    assert_eq!(run.message().await, report(2100, 2098, 0, 2));
    assert_eq!(run.rows(), 2098);
}

#[tokio::test]
async fn a_run_in_which_every_employee_failed_has_failed() {
    let workforce = Workforce::with(|_, _, answer| {
        let mut answer = answer?;
        answer.employees = vec![Employee { employee_number: "A".into(), ..Default::default() }, Employee::default()];
        answer.pagination_info.as_mut().expect("given").total_pages = 1;
        Ok(answer)
    })
    .await;
    let outcome = Run::new(workforce.client()).attempt(CancellationToken::new()).await.expect("answers");
    assert_eq!(outcome.verdict(), scheduler::outcome::Verdict::Failed);
    assert_eq!(outcome.message(), Some("Auto-create attendance gagal. Total: 2, Created: 0, Skipped: 0, Errors: 2"));
}

#[tokio::test]
async fn more_pages_than_said_are_read_to_their_end() {
    let workforce = Workforce::with(|_, _, answer| {
        let mut answer = answer?;
        answer.pagination_info.as_mut().expect("given").total_pages = 1;
        Ok(answer)
    })
    .await;
    let run = Run::new(workforce.client());
    assert_eq!(run.message().await, report(2100, 2100, 0, 0));
    assert_eq!(run.rows(), 2100);
}

#[tokio::test]
async fn an_answer_larger_than_grpc_allows_fails_the_attempt() {
    let workforce = Workforce::with(|_, _, answer| {
        let mut answer = answer?;
        answer.employees[0].employee_name = "A".repeat(5 << 20);
        Ok(answer)
    })
    .await;
    let run = Run::new(workforce.client());
    let error = run.error().await;
    assert!(error.contains("page 1") && error.contains("OutOfRange"), "{error}");
    assert_eq!(run.rows(), 0);
}

#[tokio::test]
async fn the_service_refuses_a_limit_over_a_thousand() {
    use hris::workforce::{
        WorkforceServer,
        proto::{
            common::Pagination,
            employee::{ListEmployeesRequest, employee_service_client::EmployeeServiceClient},
        },
    };
    let server = WorkforceServer::start(LOOPBACK, Default::default()).await.expect("a port is free");
    let mut client = EmployeeServiceClient::connect(format!("http://{}", server.address())).await.expect("connects");
    let request =
        |limit| ListEmployeesRequest { pagination: Some(Pagination { page: 1, limit }), ..Default::default() };
    let status = client.list_employees(request(1001)).await.expect_err("is too many");
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    client.list_employees(request(1000)).await.expect("is allowed");
}
