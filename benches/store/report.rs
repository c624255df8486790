//! The tables of each part.

use std::time::Duration;

use scheduler_benches::Table;

use crate::{
    backlog::Drained,
    case::{Case, Measured},
    costs::Costs,
    floor::Floor,
    goals,
    instance::Jobs,
    peers::Queue,
    start::Starts,
};

const SHAPE: [&str; 3] = ["jobs", "instances", "Redis"];

/// What everything is compared with, of the same run.
#[derive(Debug, Default)]
pub(crate) struct Yardsticks {
    pub(crate) floors: Vec<Floor>,
    pub(crate) queues: Vec<Queue>,
}

impl Yardsticks {
    /// The floor of one connection: what commits follow one another cost least.
    fn costs(&self) -> Option<&Costs> {
        self.floors.first().and_then(|floor| floor.costs.as_ref())
    }

    /// How a throughput stands to each of them.
    fn ratios(&self, per_second: f64) -> Vec<String> {
        let floors = self.floors.iter().map(|floor| floor.rows_per_second);
        let queues = self.queues.iter().map(|queue| queue.per_second);
        floors.chain(queues).map(|of| format!("{:.2}", per_second / of)).collect()
    }

    fn ratio_titles(&self) -> Vec<String> {
        let floors = self.floors.iter().map(|floor| format!("to the floor of {}", connections(floor)));
        let queues = self.queues.iter().map(|queue| format!("to {}", first_word(queue.name)));
        floors.chain(queues).collect()
    }
}

/// The floor and the queues themselves.
pub(crate) fn yardsticks(sticks: &Yardsticks) -> Table {
    let mut table = table([], &["what", "rows or jobs/s", "client CPU, us", "server CPU, us", "commits", "WAL, bytes"]);
    for floor in &sticks.floors {
        let costs = floor.costs.as_ref();
        table.row([
            format!("floor, {}", connections(floor)),
            format!("{:.0}", floor.rows_per_second),
            number(costs.map(|costs| costs.client_us), 1),
            number(costs.and_then(|costs| costs.server_us), 1),
            number(costs.map(|costs| costs.commits), 4),
            number(costs.map(|costs| costs.wal_bytes), 0),
        ]);
    }
    for queue in &sticks.queues {
        let unfinished = u64::from(queue.jobs) - queue.done;
        let rest = if unfinished > 0 { format!(" ({unfinished} of {} left)", queue.jobs) } else { String::new() };
        table.row([
            queue.name.to_owned(),
            format!("{:.0}{rest}", queue.per_second),
            format!("{:.1}", queue.client_us),
            number(queue.server_us, 1),
            String::new(),
            format!("{:.0}", queue.wal_bytes),
        ]);
    }
    table
}

/// What became of what was due, and how late it was.
pub(crate) fn counts(measured: &[Measured]) -> Table {
    let ran = goals::titled("run", goals::ALL);
    let none = ["missed", "doubled", "early", "abandoned"].map(|figure| goals::titled(figure, goals::NONE));
    let mut header = vec!["due", ran.as_str(), "rows ended", "open", "skipped", "retried"];
    header.extend(none.iter().map(String::as_str));
    let late = [goals::titled("late p50, ms", goals::MEDIAN), goals::titled("late p99, ms", goals::LATEST)];
    header.extend(late.iter().map(String::as_str).chain(["remarks"]));
    let mut table = table(SHAPE, &header);
    for measured in measured {
        let Measured { due, tally, rows, .. } = measured;
        let mut remarks = measured.problems.clone();
        let lacking = due - rows.all();
        if lacking > 0 {
            remarks.push(format!("{lacking} have no row"));
        }
        let figures = [
            due.to_string(),
            tally.run.to_string(),
            rows.ended().to_string(),
            rows.open().to_string(),
            rows.of(&["skipped"]).to_string(),
            tally.retried.to_string(),
            measured.missed().to_string(),
            tally.doubled.to_string(),
            tally.early.to_string(),
            rows.of(&["abandoned"]).to_string(),
            number(tally.late_ms(0.5), 1),
            number(tally.late_ms(0.99), 1),
            remarks.join("; "),
        ];
        table.row(shape(&measured.case).into_iter().chain(figures));
    }
    table
}

/// What each execution cost, with its ratio to the floor's.
pub(crate) fn costs(measured: &[Measured], sticks: &Yardsticks) -> Table {
    let statements = goals::titled("statements", goals::STATEMENTS);
    let cpu = [goals::titled("client CPU, us", goals::CLIENT), goals::titled("server CPU, us", goals::SERVER)];
    let header = ["started/s", &cpu[0], &cpu[1], statements.as_str(), "commits", "WAL, bytes"];
    let mut table = table(SHAPE, &header);
    for measured in measured {
        let costs = measured.costs.as_ref();
        table.row(
            shape(&measured.case)
                .into_iter()
                .chain(std::iter::once(format!("{:.0}", measured.started_per_second)).chain(of_costs(costs, sticks))),
        );
    }
    table
}

/// The highest throughput, beside the floor and the peers.
pub(crate) fn most(measured: &[Measured], sticks: &Yardsticks) -> Table {
    let ratios = sticks.ratio_titles();
    let ended = goals::titled("ended/s", goals::MOST);
    let mut header = vec![ended.as_str()];
    header.extend(ratios.iter().map(String::as_str));
    let mut table = table(SHAPE, &header);
    for measured in measured {
        let per_second = measured.ended_per_second;
        let figures = std::iter::once(format!("{per_second:.0}")).chain(sticks.ratios(per_second));
        table.row(shape(&measured.case).into_iter().chain(figures));
    }
    table
}

/// How fast what waits is run.
pub(crate) fn backlogs(drained: &[Drained], sticks: &Yardsticks) -> Table {
    let doubled = goals::titled("doubled", goals::NONE);
    let ratios = sticks.ratio_titles();
    let rate = goals::titled("rows/s from the first start", goals::BACKLOG);
    let mut header = vec!["rows", "ended", doubled.as_str(), "first after, ms", "all after, s", rate.as_str()];
    header.extend(ratios.iter().map(String::as_str));
    header.extend(["client CPU, us", "server CPU, us", "statements", "commits", "WAL, bytes", "remarks"]);
    let mut table = table(SHAPE, &header);
    for one in drained {
        let mut remarks = one.problems.clone();
        if one.case.jobs == Jobs::InTurn {
            remarks.push("one at a time of each job".to_owned());
        }
        let figures = [
            one.rows.to_string(),
            one.ended.to_string(),
            one.doubled.to_string(),
            number(one.first.map(|first| first.as_secs_f64() * 1e3), 0),
            format!("{:.1}", one.took.as_secs_f64()),
            format!("{:.0}", one.per_second()),
        ];
        let rest = of_costs(one.costs.as_ref(), sticks).into_iter().chain([remarks.join("; ")]);
        table.row(shape(&one.case).into_iter().chain(figures).chain(sticks.ratios(one.per_second())).chain(rest));
    }
    table
}

/// How long it takes to start with many jobs.
pub(crate) fn starts(starts: &Starts) -> Table {
    let mut table =
        table([], &["jobs", "store", "start, s", &goals::titled("beyond the memory store, s", goals::START)]);
    let memory = starts.memory.as_ref().ok();
    let lines = [("memory", &starts.memory), ("PostgreSQL, new", &starts.new), ("PostgreSQL, known", &starts.known)];
    for (store, took) in lines {
        let beyond = took.as_ref().ok().zip(memory).map(|(took, memory)| took.as_secs_f64() - memory.as_secs_f64());
        let took = took.as_ref().map_or_else(Clone::clone, |took| format!("{:.2}", took.as_secs_f64()));
        table.row([starts.jobs.to_string(), store.to_owned(), took, number(beyond, 2)]);
    }
    table
}

/// What waiting costs.
pub(crate) fn idle(measured: &[(u32, Result<Duration, String>)]) -> Table {
    let mut table = table([], &["jobs", &goals::titled("client CPU in 30 s, ms", goals::IDLE)]);
    for (jobs, used) in measured {
        let used = used.as_ref().map_or_else(Clone::clone, |used| format!("{:.0}", used.as_secs_f64() * 1e3));
        table.row([jobs.to_string(), used]);
    }
    table
}

/// A case in a few words.
pub(crate) fn label(case: &Case) -> String {
    let instances = if case.instances == 1 { "1 instance" } else { &format!("{} instances", case.instances) };
    format!("{} jobs, {instances}{}", case.count, if case.redis { ", Redis" } else { "" })
}

fn of_costs(costs: Option<&Costs>, sticks: &Yardsticks) -> [String; 5] {
    let floor = sticks.costs();
    let beside = |figure: fn(&Costs) -> Option<f64>, digits: usize| {
        let ours = costs.and_then(figure);
        let ratio = ours.zip(floor.and_then(figure)).map(|(ours, floor)| format!(" ({:.1} floors)", ours / floor));
        format!("{}{}", number(ours, digits), ratio.unwrap_or_default())
    };
    [
        beside(|costs| Some(costs.client_us), 1),
        beside(|costs| costs.server_us, 1),
        number(costs.and_then(|costs| costs.statements), 3),
        number(costs.map(|costs| costs.commits), 3),
        beside(|costs| Some(costs.wal_bytes), 0),
    ]
}

fn table<const N: usize>(first: [&str; N], rest: &[&str]) -> Table {
    Table::new(&[&first, rest].concat())
}

fn shape(case: &Case) -> [String; 3] {
    [case.count.to_string(), case.instances.to_string(), if case.redis { "with" } else { "without" }.to_owned()]
}

/// A dash where nothing was measured.
fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// How many connections wrote.
pub(crate) fn connections(floor: &Floor) -> String {
    if floor.connections == 1 { "1 connection".to_owned() } else { format!("{} connections", floor.connections) }
}

fn first_word(name: &str) -> &str {
    name.split([' ', ',']).next().unwrap_or(name)
}
