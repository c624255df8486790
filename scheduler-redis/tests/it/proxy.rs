//! A way to the server that counts, and that fails as networks do.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::server;

/// How long a test waits for what should happen at once, before it fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// Stands between a backend and the server.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    accepted: AtomicUsize,
    open: watch::Sender<usize>,
    /// How often a client spoke after the server had.
    trips: watch::Sender<usize>,
    /// How often a client had a script run.
    scripts: AtomicUsize,
    /// The server's side of each connection.
    upstream: Mutex<Vec<SocketAddr>>,
    /// The number of the last connection that lets nothing through any more.
    silent: AtomicUsize,
    /// Answers wait until the clients have sent this word so many times more.
    held: Mutex<Option<(&'static str, usize)>>,
    released: watch::Sender<()>,
    /// What to say in place of what the server says.
    rewrite: Mutex<Option<(&'static str, &'static str)>>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let mut proxy = Self { address, state: Arc::default(), accepting: None };
        proxy.accept(listener);
        proxy
    }

    fn accept(&mut self, listener: TcpListener) {
        let state = Arc::clone(&self.state);
        self.accepting = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let number = state.accepted.fetch_add(1, Ordering::SeqCst) + 1;
                connections.spawn(Arc::clone(&state).serve(client, number));
            }
        }));
    }

    /// The URL of the server by this way.
    pub(crate) fn url(&self) -> String {
        server::url().replace(&server::address(&server::url()), &self.address.to_string())
    }

    /// Closes every connection and refuses new ones, as a server that ends.
    pub(crate) async fn stop(&mut self) {
        let accepting = self.accepting.take().expect("started");
        accepting.abort();
        let _ = accepting.await;
        self.open_are(0).await;
    }

    /// Listens again at the same port.
    pub(crate) async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the port is still free");
        self.accept(listener);
    }

    /// Lets nothing through on the connections that are open; new ones work.
    pub(crate) fn silence(&self) {
        self.state.silent.store(self.accepted(), Ordering::SeqCst);
    }

    /// Keeps all answers back until this word was sent so many times more.
    pub(crate) fn hold_answers_until(&self, word: &'static str, times: usize) {
        *self.state.held.lock().unwrap() = Some((word, times));
    }

    /// Holds no answers back any more.
    pub(crate) fn let_answers_go(&self) {
        *self.state.held.lock().unwrap() = None;
        self.state.released.send_replace(());
    }

    /// Says one thing where the server says another.
    pub(crate) fn rewrite(&self, from: &'static str, to: &'static str) {
        *self.state.rewrite.lock().unwrap() = Some((from, to));
    }

    /// How many connections were made.
    pub(crate) fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// How often a client waited for an answer and went on.
    pub(crate) fn trips(&self) -> usize {
        *self.state.trips.borrow()
    }

    /// How often a client had a script run that the server may know.
    pub(crate) fn scripts(&self) -> usize {
        self.state.scripts.load(Ordering::SeqCst)
    }

    /// The newest connection as the server knows it.
    pub(crate) fn newest(&self) -> SocketAddr {
        *self.state.upstream.lock().unwrap().last().expect("a connection")
    }

    /// Waits until so many connections are open.
    pub(crate) async fn open_are(&self, number: usize) {
        wait_for(&self.state.open, |open| *open == number).await;
    }

    /// Waits until clients waited so often for an answer and went on.
    pub(crate) async fn trips_are(&self, number: usize) {
        wait_for(&self.state.trips, |trips| *trips == number).await;
    }
}

async fn wait_for(count: &watch::Sender<usize>, condition: impl FnMut(&usize) -> bool) {
    let mut count = count.subscribe();
    let reached = tokio::time::timeout(PATIENCE, count.wait_for(condition)).await;
    reached.expect("it happens in time").expect("the sender lives");
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

impl State {
    async fn serve(self: Arc<Self>, client: TcpStream, number: usize) {
        let _open = Open::new(Arc::clone(&self));
        let upstream = TcpStream::connect(server::address(&server::url())).await.expect("the server listens");
        client.set_nodelay(true).expect("a socket");
        upstream.set_nodelay(true).expect("a socket");
        self.upstream.lock().unwrap().push(upstream.local_addr().expect("connected"));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = upstream.into_split();
        let waits = AtomicBool::new(true);
        tokio::select! {
            () = self.forward(from_client, to_server, &waits, number) => {}
            () = self.back(from_server, to_client, &waits, number) => {}
        }
    }

    fn is_silent(&self, number: usize) -> bool {
        number <= self.silent.load(Ordering::SeqCst)
    }

    async fn forward(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, waits: &AtomicBool, number: usize) {
        let mut bytes = vec![0; 64 * 1_024];
        // A word may come in two pieces.
        let (mut tail, mut scripts) = (String::new(), String::new());
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            if self.is_silent(number) {
                continue;
            }
            if waits.swap(false, Ordering::SeqCst) {
                self.trips.send_modify(|trips| *trips += 1);
            }
            self.count_held(&mut tail, &bytes[..length]);
            scripts.push_str(&String::from_utf8_lossy(&bytes[..length]));
            let seen = take_words(&mut scripts, "EVALSHA");
            self.scripts.fetch_add(seen, Ordering::SeqCst);
            if to.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
    }

    fn count_held(&self, tail: &mut String, bytes: &[u8]) {
        tail.push_str(&String::from_utf8_lossy(bytes));
        let mut held = self.held.lock().unwrap();
        let Some((word, left)) = held.as_mut() else {
            tail.clear();
            return;
        };
        *left = left.saturating_sub(take_words(tail, word));
        if *left == 0 {
            *held = None;
            self.released.send_replace(());
        }
    }

    async fn back(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, waits: &AtomicBool, number: usize) {
        let mut bytes = vec![0; 64 * 1_024];
        let mut released = self.released.subscribe();
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            while self.held.lock().unwrap().is_some() {
                released.changed().await.expect("the sender lives");
            }
            if self.is_silent(number) {
                continue;
            }
            let rewrite = *self.rewrite.lock().unwrap();
            let said = match rewrite {
                Some((from, to)) => String::from_utf8_lossy(&bytes[..length]).replace(from, to).into_bytes(),
                None => bytes[..length].to_vec(),
            };
            waits.store(true, Ordering::SeqCst);
            if to.write_all(&said).await.is_err() {
                return;
            }
        }
    }
}

/// How often a word is in a text, of which only what may be the beginning of another is left.
fn take_words(text: &mut String, word: &str) -> usize {
    let seen = text.matches(word).count();
    let rest = text.rfind(word).map_or(0, |at| at + word.len()).max(text.len().saturating_sub(word.len()));
    text.drain(..rest);
    seen
}

/// A connection, as long as it is open.
struct Open(Arc<State>);

impl Open {
    fn new(state: Arc<State>) -> Self {
        state.open.send_modify(|open| *open += 1);
        Self(state)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}
