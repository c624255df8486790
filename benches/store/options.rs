//! What was asked for.

use std::fmt::Display;

/// A part of the benchmark, which can be run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    EverySecond,
    FullMinute,
    Most,
    Backlog,
    Failing,
    Holders,
    History,
    Start,
    Idle,
    Peers,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::EverySecond,
        Self::FullMinute,
        Self::Most,
        Self::Backlog,
        Self::Failing,
        Self::Holders,
        Self::History,
        Self::Start,
        Self::Idle,
        Self::Peers,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::EverySecond => "every-second",
            Self::FullMinute => "full-minute",
            Self::Most => "most",
            Self::Backlog => "backlog",
            Self::Failing => "failing",
            Self::Holders => "holders",
            Self::History => "history",
            Self::Start => "start",
            Self::Idle => "idle",
            Self::Peers => "peers",
        }
    }

    fn parse(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|part| part.name() == name).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|part| part.name()).collect();
            format!("unknown part `{name}`, expected some of {}", known.join(","))
        })
    }
}

/// The sizes and the parts of one run.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) only: Vec<Part>,
    /// How long occurrences are counted; unless given, 20 s, and 60 s for the most jobs.
    pub(crate) seconds: Option<u32>,
    pub(crate) jobs: Vec<u32>,
    pub(crate) instances: Vec<usize>,
    /// Whether Redis is asked who tries; each is measured.
    pub(crate) redis: Vec<bool>,
    /// How many jobs are due each second where the highest throughput is looked for.
    pub(crate) most: Vec<u32>,
    pub(crate) backlog: u32,
    pub(crate) start_jobs: u32,
    pub(crate) history_rows: u32,
    pub(crate) queue_jobs: u32,
    /// Whether docs/benchmarks.md is made anew.
    pub(crate) write: bool,
}

/// What the options are.
pub(crate) const USAGE: &str = "\
usage: store [--only every-second,full-minute,most,backlog,failing,holders,history,start,idle,peers]
             [--seconds 20] [--jobs 200,1000,5000] [--instances 1,2,4] [--redis without,with]
             [--most 10000] [--backlog 20000] [--start-jobs 100000] [--history-rows 1000000] [--queue-jobs 20000]
             [--write]";

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            only: Part::ALL.to_vec(),
            seconds: None,
            jobs: vec![200, 1_000, 5_000],
            instances: vec![1, 2, 4],
            redis: vec![false, true],
            most: vec![10_000],
            backlog: 20_000,
            start_jobs: 100_000,
            history_rows: 1_000_000,
            queue_jobs: 20_000,
            write: false,
        };
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            if name == "--write" {
                options.write = true;
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
            let number = |text: &str| positive(name, text);
            match name.as_str() {
                "--only" => options.only = list(value, Part::parse)?,
                "--seconds" => options.seconds = Some(number(value)?),
                "--jobs" => options.jobs = list(value, number)?,
                "--instances" => options.instances = list(value, |text| number(text).map(|count| count as usize))?,
                "--redis" => options.redis = list(value, with_or_without)?,
                "--most" => options.most = list(value, number)?,
                "--backlog" => options.backlog = number(value)?,
                "--start-jobs" => options.start_jobs = number(value)?,
                "--history-rows" => options.history_rows = number(value)?,
                "--queue-jobs" => options.queue_jobs = number(value)?,
                _ => return Err(format!("unknown option `{name}`")),
            }
        }
        Ok(options)
    }

    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.contains(&part)
    }

    /// How long occurrences of this many jobs are counted.
    pub(crate) fn seconds_for(&self, jobs: u32) -> u32 {
        self.seconds.unwrap_or(if jobs >= 5_000 { 60 } else { 20 })
    }

    /// Each number of instances, without Redis and with it.
    pub(crate) fn shapes(&self) -> Vec<(usize, bool)> {
        self.instances.iter().flat_map(|instances| self.redis.iter().map(|redis| (*instances, *redis))).collect()
    }

    /// Each number of instances, for what Redis changes little about.
    pub(crate) fn plain_shapes(&self) -> Vec<(usize, bool)> {
        let redis = self.redis.first().copied().unwrap_or(false);
        self.instances.iter().map(|instances| (*instances, redis)).collect()
    }
}

fn list<T>(value: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    value.split(',').map(parse).collect()
}

fn positive(name: &str, text: &str) -> Result<u32, String> {
    let wrong = |error: &dyn Display| format!("`{name} {text}`: {error}");
    match text.parse() {
        Ok(0) => Err(wrong(&"it must be more than nothing")),
        Ok(number) => Ok(number),
        Err(error) => Err(wrong(&error)),
    }
}

fn with_or_without(text: &str) -> Result<bool, String> {
    match text {
        "with" => Ok(true),
        "without" => Ok(false),
        other => Err(format!("`--redis {other}`: expected `with` or `without`")),
    }
}
