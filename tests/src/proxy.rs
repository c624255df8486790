//! Counts the round trips of the connections that go through it, and the statements of PostgreSQL's clients.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::statements::Statements;

/// A proxy on loopback in front of a server.
///
/// A round trip begins when a client sends after it was answered, or for the first time: what it sends without waiting
/// for an answer belongs to the same trip.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    trips: AtomicU64,
    statements: AtomicU64,
}

impl Proxy {
    /// A proxy in front of the server at this address, `host:port`.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let counts = Arc::new(Counts::default());
        let counter = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, server.clone(), Arc::clone(&counter)));
            }
        });
        Self { address, counts }
    }

    /// The URL with the proxy's address in place of the server's.
    ///
    /// # Panics
    /// When the URL has no host and port.
    pub async fn in_front_of(url: &str) -> (Self, String) {
        let (start, end) = authority(url);
        let proxy = Self::start(url[start..end].to_owned()).await;
        let through = format!("{}{}{}", &url[..start], proxy.address, &url[end..]);
        (proxy, through)
    }

    /// How many round trips there were so far.
    #[must_use]
    pub fn trips(&self) -> u64 {
        self.counts.trips.load(Ordering::SeqCst)
    }

    /// How many statements PostgreSQL was asked for so far, `BEGIN` and `COMMIT` among them; over connections in plain text.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.counts.statements.load(Ordering::SeqCst)
    }
}

/// Where `host:port` stands in a URL.
fn authority(url: &str) -> (usize, usize) {
    let start = url.find("://").expect("a URL has a scheme") + 3;
    let end = url[start..].find(['/', '?']).map_or(url.len(), |end| start + end);
    let start = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    (start, end)
}

async fn connect(client: TcpStream, server: String, counts: Arc<Counts>) {
    let Ok(server) = TcpStream::connect(&server).await else { return };
    // A proxy that gathers small packets would slow what it measures.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let answered = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&answered);
    let mut statements = Statements::default();
    let up = pump(client_read, server_write, move |bytes| {
        if asked.swap(false, Ordering::SeqCst) {
            counts.trips.fetch_add(1, Ordering::SeqCst);
        }
        counts.statements.fetch_add(statements.count(bytes), Ordering::SeqCst);
    });
    let down = pump(server_read, client_write, move |_| answered.store(true, Ordering::SeqCst));
    tokio::join!(up, down);
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut seen: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        seen(&buffer[..length]);
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    // The other side may have closed first.
    let _ = to.shutdown().await;
}
