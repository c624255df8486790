//! What is printed as it is measured, and written as a page at the end.

use std::{fmt::Write as _, fs, io, path::Path};

use scheduler_benches::Table;

use crate::plot::Bars;

/// The page, and its pictures.
const PAGE: &str = "docs/benchmarks.md";
const IMAGES: &str = "docs/images";

/// What stands above the first table.
const HEAD: &str = "\
# Benchmarks of the store

Made by `cargo xtask bench store -- --write`, which measures the scheduler on PostgreSQL, alone and with Redis in front, as one
and as several instances, each a process of its own. All figures are of one run on one machine, and the servers run on
the same cores: compare the ratios.

- **floor**: plain statements that write the same rows into tables with the same columns and indexes, a thousand rows a
  commit, and their outcomes a thousand a commit: what PostgreSQL itself needs.
- **late**: the wall clock at the start of a body minus the instant that it was due at.
- **missed**: due, and neither run nor skipped as its job still ran. Bodies count themselves; **rows ended** is the table's
  count of the same.
- **client CPU, server CPU**: processor time of the instances, and of all of PostgreSQL's processes, an execution.
- **statements**: by `pg_stat_statements`, with `BEGIN` and `COMMIT`; **commits** are those of `pg_stat_database`, reads
  among them.
- **peers**: queues without a schedule, which run jobs that were queued before; their server's share is with the queueing.
  graphile_worker deletes what has run, and apalis-postgres keeps one row a job.
";

/// Sections in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Document {
    text: String,
    plots: Vec<(&'static str, Bars)>,
}

impl Document {
    /// Prints a table under a title, and keeps both.
    pub(crate) fn section(&mut self, title: &str, tables: &[Table]) {
        let mut section = format!("\n## {title}\n");
        for table in tables {
            write!(section, "\n{table}").expect("a string takes it");
        }
        println!("{section}");
        self.text.push_str(&section);
    }

    /// Prints a line under the last section, and keeps it.
    pub(crate) fn note(&mut self, note: &str) {
        println!("{note}\n");
        write!(self.text, "\n{note}\n").expect("a string takes it");
    }

    /// Keeps a picture, for the page alone.
    pub(crate) fn plot(&mut self, name: &'static str, bars: Bars) {
        if !bars.is_empty() {
            write!(self.text, "\n![{}](images/benchmarks-{name}.svg)\n", bars.title()).expect("a string takes it");
            self.plots.push((name, bars));
        }
    }

    /// Makes the page and its pictures anew.
    pub(crate) fn write(&self) -> io::Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        fs::write(root.join(PAGE), format!("{HEAD}{}", self.text))?;
        for (name, bars) in &self.plots {
            fs::write(root.join(IMAGES).join(format!("benchmarks-{name}.svg")), bars.to_string())?;
        }
        Ok(())
    }
}
