//! What the job is compared with: `psql`, inserting the same rows.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use scheduler_benches::wall_clock;
use scheduler_tests::Database;

use crate::employees::Employees;

/// The table as the service makes it.
const TABLE: &str = include_str!("../../examples/hris/src/attendance/schema.sql");

/// Where Debian's packages have the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The program.
#[derive(Debug)]
pub(crate) struct Psql(PathBuf);

impl Psql {
    /// From `PATH`, or from Debian's packages.
    pub(crate) fn find() -> Self {
        let paths = env::var_os("PATH").unwrap_or_default();
        let debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|version| version.path().join("bin"));
        let program =
            env::split_paths(&paths).chain(debian).map(|folder| folder.join("psql")).find(|file| file.is_file());
        Self(program.expect("`psql` is in PATH or in /usr/lib/postgresql/*/bin: install a PostgreSQL client"))
    }

    /// Inserts the rows of a date into an empty table, and answers how long it took, from the program's start to its end.
    pub(crate) async fn insert(&self, employees: Employees, date: &str, database: &Database, files: &Path) -> Duration {
        database.client.batch_execute(TABLE).await.expect("the table is made");
        let file = files.join("inserts.sql");
        fs::write(&file, employees.inserts(date)).expect("the statements are written");
        let mut command = Command::new(&self.0);
        // Nobody's settings, no word a statement, and an end at the first mistake.
        command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file"]).arg(file).arg(database.url());
        let start = wall_clock();
        let status = command.stdin(Stdio::null()).status().expect("psql can be started");
        let took = wall_clock() - start;
        assert!(status.success(), "psql: {status}");
        took
    }
}
