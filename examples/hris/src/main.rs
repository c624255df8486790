//! `hris`: the reference service, and the Workforce Service that it asks.
#![expect(clippy::print_stdout, reason = "what a user copies goes to stdout; the log goes to stderr")]

use std::{error::Error, fs::File, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use hris::{
    Service, Settings, StopSignals, Telemetry, Worker,
    auth::Role,
    cli::{Command, HELP, Migrate},
    workforce::{Directory, WorkforceServer, demo_employees, employees_from_csv},
};
use scheduler::{TriggerRequest, admin::PREFIX, execution::Execution, identity::JobId, status::Status};
use serde_json::json;

/// How long a demo token lives.
const DEMO_TOKEN_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// What a program that was called wrongly exits with.
const USAGE: u8 = 2;

/// What `migrate --check` exits with where something is missing.
const INCOMPLETE: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let command = match Command::parse(std::env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned())) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("error: {error}\n\n{HELP}");
            return ExitCode::from(USAGE);
        }
    };
    let telemetry = match Telemetry::install() {
        Ok(telemetry) => telemetry,
        Err(error) => {
            eprintln!("error: {}", chain(&error));
            return ExitCode::FAILURE;
        }
    };
    let result = match command {
        Command::Workforce { listen, employees } => workforce(listen, employees).await.map(|()| ExitCode::SUCCESS),
        Command::Help => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Command::Run { job_id } => run(job_id).await.map(|()| ExitCode::SUCCESS),
        Command::Migrate(what) => migrate(what).await,
        Command::Serve { with_demo_tick } => serve(with_demo_tick).await.map(|()| ExitCode::SUCCESS),
    };
    telemetry.stop().await;
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Serves the API and runs the jobs, until a signal.
async fn serve(with_demo_tick: bool) -> Result<(), Box<dyn Error>> {
    let mut signals = StopSignals::listen()?;
    let mut settings = Settings::from_env()?;
    settings.with_demo_tick = with_demo_tick;
    let service = Service::start(&settings).await?;
    println!("HRIS listens on http://{}/", service.http_address());
    if service.has_own_secret() {
        print_demo(&service);
    }
    signals.next().await;
    signals.end_at_next();
    service.stop().await;
    Ok(())
}

/// Runs one job once, on the backends of the environment, and prints its last execution as JSON.
async fn run(job_id: JobId) -> Result<(), Box<dyn Error>> {
    let worker = Worker::start(&Settings::from_env()?, |_| {}).await?;
    let scheduler = worker.handle().clone();
    let end = async {
        let triggered = scheduler.trigger(TriggerRequest::new(job_id.clone()).by("hris run")).await?;
        // For as long as it takes, its retries too.
        let end = scheduler.wait(&job_id, &triggered.execution.occurrence, Duration::MAX).await?;
        end.ok_or_else(|| Box::<dyn Error>::from("its row is gone"))
    };
    let end = end.await;
    worker.stop().await;
    let end = end?;
    println!("{}", outcome(&end));
    if end.status == Status::Succeeded { Ok(()) } else { Err(format!("the job ended as {}", end.status).into()) }
}

/// Makes, changes or looks at the tables.
async fn migrate(what: Migrate) -> Result<ExitCode, Box<dyn Error>> {
    let migrated = hris::migrate(&Settings::from_env()?, what).await?;
    print!("{}", migrated.text);
    Ok(if migrated.is_complete { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

/// What the job answered, as its predecessor did.
fn outcome(execution: &Execution) -> serde_json::Value {
    json!({
        "success": execution.status == Status::Succeeded,
        "status": execution.status,
        "message": execution.message,
        "data": execution.result_data,
    })
}

/// Tokens to try the service with, and how.
fn print_demo(service: &Service) {
    let token =
        |role: Role| service.tokens().issue(&format!("demo-{}", role.as_str().replace('_', "-")), role, DEMO_TOKEN_TTL);
    println!("\nDemo tokens, good for a day or until the service ends:");
    for role in Role::ALL {
        println!("  {:<11} {}", role.as_str(), token(role));
    }
    println!(
        "\nSign in at http://{}/ with one of the first two, or run the attendance job now:\n  curl -X POST -H 'Authorization: Bearer {}' \
         'http://{}{PREFIX}/auto_create_daily_attendance/trigger?wait=30s'\n",
        service.http_address(),
        token(Role::SuperAdmin),
        service.http_address(),
    );
}

/// Serves the Workforce API alone, until a signal.
async fn workforce(listen: SocketAddr, employees: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let mut signals = StopSignals::listen()?;
    let employees = match employees {
        Some(path) => {
            let in_file = |error: &dyn Error| format!("`{}`: {}", path.display(), chain(error));
            let file = File::open(&path).map_err(|error| in_file(&error))?;
            employees_from_csv(file).map_err(|error| in_file(&error))?
        }
        None => demo_employees(),
    };
    let directory = Directory::new(employees);
    let (all, active) = (directory.len(), directory.active());
    let server = WorkforceServer::start(listen, directory).await?;
    println!("The Workforce Service listens on http://{} ({all} employees, {active} active)", server.address());
    signals.next().await;
    signals.end_at_next();
    server.stop().await?;
    Ok(())
}

/// An error and its sources, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
