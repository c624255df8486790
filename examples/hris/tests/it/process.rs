//! The program, in a process of its own.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use hris::auth::{Role, Secret, Tokens};
use scheduler::{admin::PREFIX, clock::SystemClock};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
};

const SECRET: &str = "a key that is as long as a key must be";

/// `hris`, serving; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    address: String,
    token: String,
    log: mpsc::UnboundedReceiver<String>,
    logged: Vec<String>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts it with these variables, and returns once it listens.
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hris"));
        for (name, _) in std::env::vars() {
            if ["DATABASE_URL", "REDIS_URL", "RUST_LOG"].contains(&&*name) || name.starts_with("OTEL_") {
                command.env_remove(name);
            }
        }
        let own = [("HRIS_HTTP_ADDR", "127.0.0.1:0"), ("HRIS_JWT_SECRET", SECRET)];
        command.envs(own).envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let (lines, mut printed) = mpsc::unbounded_channel();
        let (told, log) = mpsc::unbounded_channel();
        let out = child.stdout.take().expect("piped");
        let err = child.stderr.take().expect("piped");
        let readers = vec![thread::spawn(|| read(out, lines)), thread::spawn(|| read(err, told))];
        let address = loop {
            let line = soon(printed.recv()).await.expect("it prints where it listens");
            if let Some((_, address)) = line.split_once("HRIS listens on http://") {
                break address.trim_end_matches('/').to_owned();
            }
        };
        let secret = Secret::try_new(SECRET).expect("is long enough");
        let token =
            Tokens::new(&secret, Arc::new(SystemClock)).issue("ayu", Role::SuperAdmin, Duration::from_secs(600));
        Self { child, address, token, log, logged: Vec::new(), readers }
    }

    /// Runs a job, in this trace, and answers its execution once it has ended.
    pub(crate) async fn run(&self, job: &str, traceparent: Option<&str>) -> Value {
        let trace = traceparent.map(|value| format!("traceparent: {value}\r\n")).unwrap_or_default();
        let request = format!(
            "POST {PREFIX}/{job}/trigger?wait=30s HTTP/1.1\r\nhost: hris\r\nconnection: close\r\ncontent-length: 0\r\n\
             authorization: Bearer {}\r\n{trace}\r\n",
            self.token
        );
        let mut stream = TcpStream::connect(&self.address).await.expect("listens");
        stream.write_all(request.as_bytes()).await.expect("sends");
        let mut answer = String::new();
        soon(stream.read_to_string(&mut answer)).await.expect("answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
        let body: Value = serde_json::from_str(body).expect("JSON");
        body["data"].clone()
    }

    /// Waits until it has logged a line with this text.
    #[cfg(feature = "otlp")]
    pub(crate) async fn has_logged(&mut self, text: &str) {
        loop {
            let line = soon(self.log.recv()).await.expect("it goes on");
            let is_it = line.contains(text);
            self.logged.push(line);
            if is_it {
                return;
            }
        }
    }

    /// Stops it calmly (SIGTERM); answers whether that was a success, and all that it has logged.
    pub(crate) async fn stop(mut self) -> (bool, Vec<String>) {
        let kill = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(kill.expect("`kill` is there").success(), "the process was gone before");
        let mut logged = std::mem::take(&mut self.logged);
        // Its log ends when it does.
        while let Some(line) = soon(self.log.recv()).await {
            logged.push(line);
        }
        let success = self.child.wait().expect("a child's end is seen").success();
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader does not panic");
        }
        (success, logged)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What must come; nothing is measured by this.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it comes within 60 s")
}

fn read(stream: impl Read, lines: mpsc::UnboundedSender<String>) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        // Nobody may want it any more.
        let _ = lines.send(line);
    }
}
