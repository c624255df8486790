//! Processes that outlive the command that started them.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::failure::{Context, Failure, Result};

/// Whether the process runs and its command line contains `marker`: after a reboot, its number may be another's.
pub(crate) fn runs(pid: u32, marker: &str) -> bool {
    command_line(pid).is_some_and(|line| line.contains(marker))
}

/// A dead process that nobody has collected has no command line, and counts as gone.
fn command_line(pid: u32) -> Option<String> {
    let line = if Path::new("/proc/self/cmdline").exists() {
        String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).ok()?).replace('\0', " ")
    } else {
        let listed = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output().ok()?;
        String::from_utf8_lossy(&listed.stdout).into_owned()
    };
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// Ends the process at once if it is still the one meant.
pub(crate) fn kill(pid: u32, marker: &str) {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(number) = number.filter(|_| runs(pid, marker)) {
        // It may have ended by itself in between, which is as good.
        let _ = kill_process(number, Signal::KILL);
    }
}

/// Asks again every 50 ms until it holds, `patience` long. Whether it did.
pub(crate) fn wait_until(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    const LOOK: Duration = Duration::from_millis(50);
    for _ in 0..=patience.as_millis() / LOOK.as_millis() {
        if holds() {
            return true;
        }
        std::thread::sleep(LOOK);
    }
    false
}

/// Runs the command to its end. A failure says what it printed.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().context(|| format!("running {program}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let printed = [output.stderr, output.stdout].concat();
    Err(Failure::new(format!("{program} failed ({}): {}", output.status, String::from_utf8_lossy(&printed).trim())))
}

/// The last lines of a log, for a failure's message.
pub(crate) fn tail(log: &Path) -> String {
    const LINES: usize = 15;
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_command_line() {
        let own = std::process::id();
        assert!(runs(own, "xtask"));
        assert!(!runs(own, "a marker of another program"));
    }

    #[test]
    fn an_ended_process_does_not_run_even_before_it_is_collected() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        assert!(wait_until(Duration::from_secs(5), || runs(child.id(), "sleep 600")));
        kill(child.id(), "sleep 600");
        assert!(wait_until(Duration::from_secs(5), || !runs(child.id(), "sleep")));
        child.wait().unwrap();
    }
}
