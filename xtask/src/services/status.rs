//! Where the servers are, for a person to read.

use std::fmt;

/// One line a server. No password is in it.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) url: Option<String>,
    pub(crate) pid: Option<u32>,
    pub(crate) source: String,
    pub(crate) answers: bool,
}

impl Status {
    pub(crate) fn all_answer(&self) -> bool {
        self.lines.iter().all(|line| line.answers)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines.iter().enumerate() {
            let end = if index + 1 == self.lines.len() { "" } else { "\n" };
            let Some(url) = &line.url else {
                write!(f, "{:<10} down{end}", line.name)?;
                continue;
            };
            let state = if line.answers { "up" } else { "gone" };
            let pid = line.pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
            write!(f, "{:<10} {state:<5} {url} ({}{pid}){end}", line.name, line.source)?;
        }
        Ok(())
    }
}
