//! A Workforce Service and instances of the HRIS service, each a process of its own, on one database and one Redis.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use hris::auth::{Role, Secret, Tokens};
use scheduler::clock::SystemClock;
use scheduler_tests::{Api, Database, Process, server};

/// The instances' common secret.
pub(crate) const SECRET: &str = "the tests' own secret, of more than 32 bytes";

/// The instances and what they share.
#[derive(Debug)]
pub(crate) struct Team {
    pub(crate) instances: Vec<Instance>,
    pub(crate) database: Database,
    workforce: Process,
    employees: PathBuf,
}

/// An instance.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) process: Process,
    pub(crate) base: String,
}

impl Team {
    /// Starts this many instances with these arguments, for employees of whom some are inactive. Teams that run side by
    /// side have databases of Redis with other numbers, as their jobs have the same ids.
    pub(crate) async fn start(
        instances: usize,
        arguments: &[&str],
        (active, inactive): (usize, usize),
        redis_database: u8,
    ) -> Self {
        let database = Database::create().await;
        let employees = std::env::temp_dir().join(format!("{}.csv", database.name()));
        fs::write(&employees, csv(active, inactive)).expect("the temporary folder takes a file");
        let file = employees.to_str().expect("a path of plain text");
        let workforce = Process::start("hris", &["workforce", "--listen", "127.0.0.1:0", "--employees", file], &[]);
        let url = workforce.wait_for("listens on ");
        let url = url.split_whitespace().next().expect("a URL").to_owned();
        let variables = [
            ("DATABASE_URL", database.url()),
            ("REDIS_URL", redis_url(redis_database)),
            ("WORKFORCE_GRPC_URL", url),
            ("HRIS_JWT_SECRET", SECRET.to_owned()),
            ("HRIS_HTTP_ADDR", "127.0.0.1:0".to_owned()),
        ];
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let processes: Vec<Process> = (0..instances).map(|_| Process::start("hris", arguments, &variables)).collect();
        let instances = processes
            .into_iter()
            .map(|process| Instance { base: process.wait_for("HRIS listens on "), process })
            .collect();
        Self { instances, database, workforce, employees }
    }

    /// The API of an instance, for somebody of this role.
    pub(crate) fn api(&self, instance: usize, role: Role) -> Api {
        Api::new(&self.instances[instance].base, Some(&token("dewi", role)))
    }

    /// Stops every instance calmly; each must say that it was a success.
    pub(crate) async fn stop(self) {
        for mut instance in self.instances {
            assert!(instance.process.terminate(), "a calm stop:\n{}", instance.process.printed());
        }
        drop(self.workforce);
        fs::remove_file(&self.employees).expect("the test's own file");
        self.database.drop().await;
    }
}

/// A token as the service itself would issue it.
pub(crate) fn token(subject: &str, role: Role) -> String {
    tokens(SECRET).issue(subject, role, Duration::from_secs(600))
}

pub(crate) fn tokens(secret: &str) -> Tokens {
    Tokens::new(&Secret::try_new(secret).expect("long enough"), Arc::new(SystemClock))
}

fn redis_url(database: u8) -> String {
    let url = server("REDIS_URL");
    let base = url.find("://").and_then(|scheme| url[scheme + 3..].find('/').map(|slash| &url[..scheme + 3 + slash]));
    format!("{}/{database}", base.unwrap_or(&url))
}

fn csv(active: usize, inactive: usize) -> String {
    let all = active + inactive;
    let mut csv = String::from("employee_id,employee_name,employee_org_unit_id,is_active\n");
    for id in 1..=all {
        // Inactive ones stand evenly among the others.
        let is_active = id * inactive / all == (id - 1) * inactive / all;
        csv.push_str(&format!("{id},Employee {id},{},{is_active}\n", id % 40 + 1));
    }
    csv
}
