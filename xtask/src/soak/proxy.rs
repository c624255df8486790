//! A way between one process and one server that can be cut, slowed and held up.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::failure::{Context, Result};

/// How often a connection looks whether the way has changed.
const LOOK: Duration = Duration::from_millis(50);

/// The way, as its connections see it.
#[derive(Debug, Default)]
struct Way {
    /// Counts the cuts: a connection of an earlier count ends.
    cuts: AtomicU64,
    /// Nothing goes through, and nobody is told.
    is_held: AtomicBool,
    delay_ms: AtomicU64,
    /// Of how many replies one is lost, the request forwarded; 0 for none.
    loses_one_in: AtomicU64,
    /// Counts replies.
    replies: AtomicU64,
}

/// A way that is open until it is disturbed; it lives as long as the program.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    port: u16,
    way: Arc<Way>,
}

impl Proxy {
    /// Opens a way to this port on loopback.
    pub(crate) fn open(to: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context(|| "opening a proxy".to_owned())?;
        let port = listener.local_addr().context(|| "opening a proxy".to_owned())?.port();
        let way = Arc::new(Way::default());
        let proxy = Self { port, way: Arc::clone(&way) };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is away refuses here as it would there.
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                connect(&client, &server, &way);
            }
        });
        Ok(proxy)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection.
    pub(crate) fn cut(&self) {
        self.way.cuts.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn hold(&self) {
        self.way.is_held.store(true, Ordering::SeqCst);
    }

    pub(crate) fn delay(&self, by: Duration) {
        self.way.delay_ms.store(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    pub(crate) fn lose_one_in(&self, replies: u64) {
        self.way.loses_one_in.store(replies, Ordering::SeqCst);
    }

    /// Lets everything through again.
    pub(crate) fn mend(&self) {
        self.way.is_held.store(false, Ordering::SeqCst);
        self.delay(Duration::ZERO);
        self.lose_one_in(0);
    }
}

fn connect(client: &TcpStream, server: &TcpStream, way: &Arc<Way>) {
    let copies = || Some((client.try_clone().ok()?, server.try_clone().ok()?));
    let (Some(there), Some(back)) = (copies(), copies()) else { return };
    let cuts = way.cuts.load(Ordering::SeqCst);
    for (from, to, is_reply) in [(there.0, there.1, false), (back.1, back.0, true)] {
        let way = Arc::clone(way);
        thread::spawn(move || {
            carry(&from, &to, &way, cuts, is_reply);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

/// Carries bytes one way until either end closes or the way is cut.
fn carry(mut from: &TcpStream, mut to: &TcpStream, way: &Way, cuts: u64, is_reply: bool) {
    let mut buffer = [0; 16 * 1024];
    let is_cut = || way.cuts.load(Ordering::SeqCst) != cuts;
    if from.set_read_timeout(Some(LOOK)).is_err() || to.set_nodelay(true).is_err() {
        return;
    }
    while !is_cut() {
        let read = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => return,
        };
        while way.is_held.load(Ordering::SeqCst) && !is_cut() {
            thread::sleep(LOOK);
        }
        let delay = way.delay_ms.load(Ordering::SeqCst);
        if delay > 0 {
            thread::sleep(Duration::from_millis(delay));
        }
        let loses = way.loses_one_in.load(Ordering::SeqCst);
        if is_reply && loses > 0 && way.replies.fetch_add(1, Ordering::SeqCst).is_multiple_of(loses) {
            return;
        }
        if is_cut() || to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that says back what it hears.
    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut heard = [0; 16];
                while let Ok(read @ 1..) = client.read(&mut heard) {
                    client.write_all(&heard[..read]).unwrap();
                }
            }
        });
        port
    }

    fn ask(client: &mut TcpStream) -> std::io::Result<usize> {
        client.write_all(b"hello")?;
        client.read(&mut [0; 16])
    }

    #[test]
    fn what_is_carried_comes_back_until_the_way_is_cut() {
        let proxy = Proxy::open(echo()).unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        assert_eq!(ask(&mut client).unwrap(), 5);
        proxy.cut();
        assert_eq!(client.read(&mut [0; 16]).unwrap_or(0), 0, "it was closed");
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        assert_eq!(ask(&mut client).unwrap(), 5, "a new one goes through");
    }

    #[test]
    fn a_lost_reply_closes_the_connection_once_the_request_went_through() {
        let proxy = Proxy::open(echo()).unwrap();
        proxy.lose_one_in(1);
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        assert_eq!(ask(&mut client).unwrap_or(0), 0);
        proxy.mend();
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        assert_eq!(ask(&mut client).unwrap(), 5);
    }

    #[test]
    fn what_is_held_comes_when_it_is_let_go() {
        let proxy = Proxy::open(echo()).unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        proxy.hold();
        client.write_all(b"hello").unwrap();
        client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        assert!(client.read(&mut [0; 16]).is_err(), "nothing comes");
        proxy.mend();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert_eq!(client.read(&mut [0; 16]).unwrap(), 5);
    }
}
