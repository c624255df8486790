//! The instances of one run, as the benchmark sees them.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    instance::Spec,
    runs::{self, Run},
};

/// How long an instance may take to start: the scheduler gives up by itself before.
const START: Duration = Duration::from_secs(60);

/// How long it may take to say what it has used.
const ANSWER: Duration = Duration::from_secs(10);

/// How long it may take to stop: what drains, what is told to stop, and what is written then.
const STOP: Duration = Duration::from_secs(40);

/// A process that is killed when it is dropped.
#[derive(Debug)]
struct Instance {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    spec: Spec,
}

impl Instance {
    fn spawn(spec: Spec) -> Self {
        let program = std::env::current_exe().expect("the benchmark's own path");
        let mut child = Command::new(program)
            .args(["instance", &spec.to_json()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the benchmark can start itself");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, input, lines, spec }
    }

    fn tell(&mut self, word: &str) -> Result<(), String> {
        writeln!(self.input, "{word}").map_err(|error| format!("an instance has ended: {error}"))
    }

    /// What follows this word on the next line.
    fn hear(&self, word: &str, within: Duration) -> Result<String, String> {
        let line = self
            .lines
            .recv_timeout(within)
            .map_err(|error| format!("an instance did not say `{word}` within {} s: {error}", within.as_secs()))?;
        line.strip_prefix(word).map(|rest| rest.trim().to_owned()).ok_or(line)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Instances that have started.
#[derive(Debug)]
pub(crate) struct Fleet {
    instances: Vec<Instance>,
    /// How long the slowest took, from the first look at its store on.
    pub(crate) start: Duration,
    _files: TempDir,
}

/// How a fleet ended.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) runs: Vec<Run>,
    /// What went wrong, of each instance that did not stop by itself: what it ran is not known.
    pub(crate) problems: Vec<String>,
}

impl Fleet {
    /// Starts this many at once.
    pub(crate) fn start(spec: &Spec, count: usize) -> Result<Self, String> {
        let files = tempfile::tempdir().expect("a temporary directory");
        let of = |nth: usize| Spec { runs_file: files.path().join(nth.to_string()), ..spec.clone() };
        let instances: Vec<Instance> = (0..count).map(|nth| Instance::spawn(of(nth))).collect();
        let mut start = Duration::ZERO;
        for instance in &instances {
            let micros = instance.hear("started", START)?;
            start = start.max(Duration::from_micros(micros.parse().unwrap_or(0)));
        }
        Ok(Self { instances, start, _files: files })
    }

    /// The processor time of all so far; what an instance that has ended used is lost.
    pub(crate) fn cpu(&mut self) -> Duration {
        let of = |instance: &mut Instance| -> Result<u64, String> {
            instance.tell("cpu")?;
            instance.hear("cpu", ANSWER)?.parse().map_err(|error| format!("no number: {error}"))
        };
        self.instances.iter_mut().filter_map(|instance| of(instance).ok()).map(Duration::from_micros).sum()
    }

    /// Stops all at once, and reads what they ran.
    pub(crate) fn stop(mut self) -> Stopped {
        let told: Vec<_> = self.instances.iter_mut().map(|instance| instance.tell("stop")).collect();
        let mut stopped = Stopped { runs: Vec::new(), problems: Vec::new() };
        for (instance, told) in self.instances.iter().zip(told) {
            let outcome = told.and_then(|()| instance.hear("stopped", STOP));
            stopped.problems.extend(outcome.err());
            stopped.runs.extend(runs::read(&instance.spec.runs_file));
        }
        stopped
    }
}
