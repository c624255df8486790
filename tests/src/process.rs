//! A program of this workspace, in a process of its own.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// A process that is killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: Arc<Output>,
}

/// What a process has printed so far, on both streams.
#[derive(Debug, Default)]
struct Output {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

impl Process {
    /// Starts `program` of this build with arguments and variables, and none of this process's own settings.
    ///
    /// # Panics
    /// When it was not built: `cargo build --workspace --bins` does, and `cargo xtask test` calls it.
    #[must_use]
    pub fn start(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let path = built(program);
        let mut command = Command::new(&path);
        for variable in ["DATABASE_URL", "REDIS_URL", "WORKFORCE_GRPC_URL", "HRIS_HTTP_ADDR", "HRIS_JWT_SECRET"] {
            command.env_remove(variable);
        }
        let mut child = command
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} can't be started: {error}; build it by `cargo build --workspace --bins`", path.display())
            });
        let output = Arc::new(Output::default());
        collect(child.stdout.take().expect("piped"), Arc::clone(&output));
        collect(child.stderr.take().expect("piped"), Arc::clone(&output));
        Self { child, output }
    }

    /// Waits until a line has this text, and answers what follows it there.
    ///
    /// # Panics
    /// When it has not come within 30 s.
    #[must_use]
    pub fn wait_for(&self, text: &str) -> String {
        let lines = self.output.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |lines: &Vec<String>| lines.iter().find_map(|line| Some(line.split_once(text)?.1.trim().to_owned()));
        let (lines, _) = self
            .output
            .grown
            .wait_timeout_while(lines, Duration::from_secs(30), |lines| find(lines).is_none())
            .unwrap_or_else(PoisonError::into_inner);
        find(&lines).unwrap_or_else(|| panic!("{text:?} did not come within 30 s:\n{}", lines.join("\n")))
    }

    /// What it has printed so far.
    #[must_use]
    pub fn printed(&self) -> String {
        self.output.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it without a word (SIGKILL).
    ///
    /// # Panics
    /// When it can't be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Asks it to stop (SIGTERM), waits for its end, and answers whether that was a success.
    ///
    /// # Panics
    /// When it can't be asked.
    pub fn terminate(&mut self) -> bool {
        let status =
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("`kill` is there");
        assert!(status.success(), "the process was gone before");
        self.child.wait().expect("a child's end is seen").success()
    }

    /// Waits for its end and answers its exit code.
    ///
    /// # Panics
    /// When it was ended by a signal.
    pub fn exit_code(&mut self) -> i32 {
        self.child.wait().expect("a child's end is seen").code().expect("it ended by itself")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(stream: impl Read + Send + 'static, output: Arc<Output>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            output.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            output.grown.notify_all();
        }
    });
}

/// A program in the folder where this test's own build put it.
fn built(program: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test's own path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/debug/deps/test");
    profile.join(program)
}
