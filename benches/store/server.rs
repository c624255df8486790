//! What the PostgreSQL server has used, as it and the kernel count it.

use std::{fs, time::Duration};

use scheduler_tests::{connect, server};
use tokio_postgres::Client;

/// The server, seen from a database that is not measured.
pub(crate) struct Server {
    client: Client,
    /// The process that all others of the server are children of, where it runs on this machine.
    postmaster: Option<u32>,
    counts_statements: bool,
}

/// What was used up to a moment, or between two.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Of all the server's processes; none where they are not on this machine.
    pub(crate) cpu: Option<Duration>,
    /// With `BEGIN` and `COMMIT`; none without `pg_stat_statements`.
    pub(crate) statements: Option<i64>,
    pub(crate) commits: i64,
    pub(crate) wal_bytes: i64,
}

impl Spent {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.zip(before.cpu).map(|(after, before)| after.saturating_sub(before)),
            statements: self.statements.zip(before.statements).map(|(after, before)| after - before),
            commits: self.commits - before.commits,
            wal_bytes: self.wal_bytes - before.wal_bytes,
        }
    }
}

impl Server {
    pub(crate) async fn connect() -> Self {
        let client = connect(&server("DATABASE_URL")).await;
        let made = client.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await;
        let counts_statements =
            made.is_ok() && client.query("SELECT 1 FROM pg_stat_statements LIMIT 1", &[]).await.is_ok();
        let postmaster = postmaster(&client).await;
        Self { client, postmaster, counts_statements }
    }

    /// What of the figures can't be had from this server.
    pub(crate) fn lacks(&self) -> Vec<&'static str> {
        let statements = "statements are not counted: the server was not started with pg_stat_statements";
        let cpu = "the server's CPU is not counted: its processes are not on this machine";
        let lacks = [(statements, self.counts_statements), (cpu, self.postmaster.is_some())];
        lacks.into_iter().filter(|(_, has)| !has).map(|(text, _)| text).collect()
    }

    pub(crate) async fn version(&self) -> String {
        self.text("SHOW server_version").await
    }

    /// The settings that are not PostgreSQL's own and may change a figure.
    pub(crate) async fn settings(&self) -> String {
        let set = "SELECT string_agg(name || ' = ' || setting, ', ' ORDER BY name) FROM pg_settings
                   WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_connections',
                                  'shared_preload_libraries', 'max_wal_size')";
        self.text(set).await
    }

    async fn text(&self, query: &str) -> String {
        self.client.query_one(query, &[]).await.expect("the server answers").get(0)
    }

    /// Writes what was changed before to the disk, so that no run pays for the one before it.
    pub(crate) async fn settle(&self) {
        self.client.batch_execute("CHECKPOINT").await.expect("a superuser may");
    }

    /// What a database has had so far, and the server all in all.
    pub(crate) async fn spent(&self, database: &str) -> Spent {
        let statements = if self.counts_statements {
            "(SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE dbid = d.datid)"
        } else {
            "NULL::bigint"
        };
        let query = format!(
            "SELECT {statements}, d.xact_commit, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint
             FROM pg_stat_database AS d WHERE d.datname = $1::text"
        );
        let row = self.client.query_one(&query, &[&database]).await.expect("the database is there");
        Spent {
            cpu: self.postmaster.map(cpu_of_family),
            statements: row.get(0),
            commits: row.get(1),
            wal_bytes: row.get(2),
        }
    }
}

/// The server's first process, if it is one of this machine's.
async fn postmaster(client: &Client) -> Option<u32> {
    let row = client.query_one("SELECT pg_read_file('postmaster.pid')", &[]).await.ok()?;
    let pid = row.get::<_, String>(0).lines().next()?.trim().parse().ok()?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    ["postgres", "postmaster"].contains(&name.trim()).then_some(pid)
}

/// The processor time of a process, of its children that live, and of those that have ended.
fn cpu_of_family(parent: u32) -> Duration {
    let mut ticks = 0;
    for entry in fs::read_dir("/proc").expect("Linux's /proc").flatten() {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name before it may have spaces.
        let Some((pid, rest)) = stat.split_once(' ').zip(stat.rsplit_once(") ")).map(|(first, last)| (first.0, last.1))
        else {
            continue;
        };
        let fields: Vec<u64> = rest.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0)).collect();
        if pid.parse() == Ok(parent) {
            ticks += fields[10..14].iter().sum::<u64>();
        } else if fields.first() == Some(&u64::from(parent)) {
            ticks += fields[10..12].iter().sum::<u64>();
        }
    }
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}
