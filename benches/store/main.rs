//! The load of the store: what is due each second on PostgreSQL, alone and with Redis, as one and as several instances; a
//! backlog, a start with many jobs, and the floor and the peers beside them.
//!
//! `cargo xtask bench store [-- --only every-second,most --seconds 10 --instances 1,4 --write]`. Each instance is a process of
//! its own. What does not run, or not to its end, is a figure as well: nothing here waits for it without end.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

mod backlog;
mod case;
mod costs;
mod document;
mod fleet;
mod floor;
mod goals;
mod instance;
mod machine;
mod options;
mod peers;
mod plot;
mod report;
mod rows;
mod runs;
mod server;
mod start;

use std::process::ExitCode;

use case::{Case, Measured};
use document::Document;
use floor::Floor;
use instance::Jobs;
use options::{Options, Part, USAGE};
use plot::Bars;
use report::Yardsticks;
use server::Server;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [first, spec] = arguments.as_slice()
        && first == "instance"
    {
        instance::run(spec);
        return ExitCode::SUCCESS;
    }
    match Options::parse(&arguments) {
        Ok(options) => {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(Bench::run(&options));
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// One run of the benchmark.
struct Bench<'a> {
    options: &'a Options,
    server: Server,
    document: Document,
    sticks: Yardsticks,
}

impl<'a> Bench<'a> {
    async fn run(options: &'a Options) {
        let server = Server::connect().await;
        let mut document = Document::default();
        document.section("Machine", &[machine::table(&server).await]);
        server.lacks().into_iter().for_each(|lack| document.note(lack));
        let mut bench = Self { options, server, document, sticks: Yardsticks::default() };
        bench.yardsticks().await;
        bench.every_second().await;
        bench.full_minute().await;
        bench.most().await;
        bench.backlog().await;
        bench.variants().await;
        bench.start().await;
        if options.write {
            bench.document.write().expect("the page can be written");
        }
    }

    /// The floor and the peers come first, so that all else can be compared with them.
    async fn yardsticks(&mut self) {
        const COMPARED: [Part; 6] =
            [Part::EverySecond, Part::Most, Part::Backlog, Part::Failing, Part::Holders, Part::History];
        let mut problems = Vec::new();
        if COMPARED.iter().any(|part| self.options.wants(*part)) {
            for connections in [1, 2] {
                match Floor::measure(&self.server, connections).await {
                    Ok(floor) => self.sticks.floors.push(floor),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        if self.options.wants(Part::Peers) {
            for measured in peers::measure(&self.server, self.options.queue_jobs).await {
                match measured {
                    Ok(queue) => self.sticks.queues.push(queue),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        self.document.section("Floor and peers", &[report::yardsticks(&self.sticks)]);
        problems.iter().for_each(|problem| self.document.note(problem));
    }

    async fn every_second(&mut self) {
        if !self.options.wants(Part::EverySecond) {
            return;
        }
        let mut measured = Vec::new();
        for jobs in &self.options.jobs {
            for shape in self.options.shapes() {
                let seconds = self.options.seconds_for(*jobs);
                measured.push(self.measure(Jobs::EverySecond, *jobs, seconds, 0, shape).await);
            }
        }
        let tables = [report::counts(&measured), report::costs(&measured, &self.sticks)];
        self.document.section("Jobs due each second, empty bodies", &tables);
        let mut bars = Bars::new("Lateness p99 of jobs due each second", "ms");
        for measured in &measured {
            bars.bar(report::label(&measured.case), measured.tally.late_ms(0.99), true);
        }
        self.document.plot("lateness", bars);
    }

    async fn full_minute(&mut self) {
        const JOBS: u32 = 1_000;
        const ROUNDS: u32 = 3;
        if !self.options.wants(Part::FullMinute) {
            return;
        }
        let seconds = ROUNDS * u32::try_from(Jobs::AtOnce.period()).unwrap_or(1);
        let mut measured = Vec::new();
        for shape in self.options.shapes() {
            measured.push(self.measure(Jobs::AtOnce, JOBS, seconds, 0, shape).await);
        }
        self.document.section("All due at one instant, every ten seconds", &[report::counts(&measured)]);
    }

    async fn most(&mut self) {
        if !self.options.wants(Part::Most) {
            return;
        }
        let mut measured = Vec::new();
        for jobs in &self.options.most {
            for shape in self.options.shapes() {
                measured
                    .push(self.measure(Jobs::EverySecond, *jobs, self.options.seconds.unwrap_or(20), 0, shape).await);
            }
        }
        let tables =
            [report::most(&measured, &self.sticks), report::counts(&measured), report::costs(&measured, &self.sticks)];
        self.document.section("The highest throughput, a row before and its outcome after", &tables);
        let mut bars = Bars::new("Executions a second", "/s");
        for floor in &self.sticks.floors {
            bars.bar(format!("floor, {}", report::connections(floor)), Some(floor.rows_per_second), false);
        }
        for queue in &self.sticks.queues {
            bars.bar(queue.name.split(',').next().unwrap_or(queue.name), Some(queue.per_second), false);
        }
        for measured in &measured {
            bars.bar(report::label(&measured.case), Some(measured.ended_per_second), true);
        }
        self.document.plot("throughput", bars);
    }

    async fn backlog(&mut self) {
        if !self.options.wants(Part::Backlog) {
            return;
        }
        let mut drained = Vec::new();
        for jobs in [Jobs::Beside, Jobs::InTurn] {
            for shape in self.options.shapes() {
                eprintln!("backlog {jobs:?}, {shape:?}");
                drained.push(backlog::drain(&self.server, self.options.backlog, jobs, shape).await);
            }
        }
        self.document.section("A backlog of pending rows", &[report::backlogs(&drained, &self.sticks)]);
    }

    /// Jobs due each second that are not empty, or not alone in the table.
    async fn variants(&mut self) {
        const JOBS: u32 = 1_000;
        let variants = [
            (Part::Failing, Jobs::Failing, 0, "One job in ten fails and is retried after a second"),
            (Part::Holders, Jobs::Holding, 0, "Each body runs 5 s, and the next occurrences meet it"),
            (Part::History, Jobs::EverySecond, self.options.history_rows, "With a year's history of the same jobs"),
        ];
        for (part, jobs, history, title) in variants {
            if !self.options.wants(part) {
                continue;
            }
            let mut measured = Vec::new();
            for shape in self.options.plain_shapes() {
                measured.push(self.measure(jobs, JOBS, self.options.seconds_for(JOBS), history, shape).await);
            }
            let tables = [report::counts(&measured), report::costs(&measured, &self.sticks)];
            self.document.section(title, &tables);
        }
    }

    async fn start(&mut self) {
        const FEW: u32 = 100;
        if self.options.wants(Part::Start) {
            let starts = start::starts(&self.server, self.options.start_jobs).await;
            self.document.section("Starting", &[report::starts(&starts)]);
        }
        if self.options.wants(Part::Idle) {
            let mut measured = Vec::new();
            for jobs in [FEW, self.options.start_jobs] {
                measured.push((jobs, start::idle(jobs).await));
            }
            self.document.section("Waiting, with nothing due", &[report::idle(&measured)]);
        }
    }

    async fn measure(&self, jobs: Jobs, count: u32, seconds: u32, history: u32, shape: (usize, bool)) -> Measured {
        let (instances, redis) = shape;
        let case = Case { jobs, count, instances, redis, seconds, history };
        // A run takes minutes: whoever waits sees that it goes on.
        eprintln!("{jobs:?}: {}", report::label(&case));
        case.measure(&self.server).await
    }
}
