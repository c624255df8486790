//! Asks a server whether it is the one expected, in its own protocol.
//!
//! Written out by hand, since a driver would make `cargo xtask` wait for half the workspace to compile.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    os::unix::net::UnixStream,
    time::Duration,
};

use super::url::ServerUrl;
use crate::failure::{Context, Failure, Result};

/// A server on the same machine or near it answers in milliseconds; a wrong address should not hold a command up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Checks that a PostgreSQL server listens at the URL and takes connections for its user and database.
///
/// The password is not tried; with `sslmode=require`, only the server's readiness for TLS is asked.
pub(crate) fn postgres(url: &str) -> Result<()> {
    const PROTOCOL_3: u32 = 196_608;
    const SSL_REQUEST: u32 = 80_877_103;

    let url = ServerUrl::parse(url)?;
    if !matches!(url.scheme.as_str(), "postgres" | "postgresql") {
        return Err(Failure::new(format!("`{}://` is not PostgreSQL's scheme", url.scheme)));
    }
    let mut server = connect(&url, 5432)?;
    if url.parameter("sslmode").is_some_and(|mode| mode.starts_with("require") || mode.starts_with("verify")) {
        server.write_all(&message(&SSL_REQUEST.to_be_bytes())).context(|| "asking for TLS".to_owned())?;
        return match &read_exactly(&mut server, 1)?[..] {
            b"S" => Ok(()),
            b"N" => Err(Failure::new("the server does not speak TLS, and `sslmode` requires it")),
            _ => Err(Failure::new("the server does not speak PostgreSQL's protocol")),
        };
    }
    let user = url.user.as_deref().or(url.parameter("user")).unwrap_or("postgres");
    let database = if url.path.is_empty() { user } else { &url.path };
    let mut startup = PROTOCOL_3.to_be_bytes().to_vec();
    startup.extend_from_slice(format!("user\0{user}\0database\0{database}\0\0").as_bytes());
    server.write_all(&message(&startup)).context(|| "greeting the server".to_owned())?;
    let head = read_exactly(&mut server, 5)?;
    match head[0] {
        b'R' => Ok(()),
        b'E' => {
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]).clamp(4, 4096) as usize;
            Err(Failure::new(error_text(&read_exactly(&mut server, length - 4)?)))
        }
        _ => Err(Failure::new("the server does not speak PostgreSQL's protocol")),
    }
}

/// Checks that a Redis server listens at the URL and takes its password. With `rediss://` only that it listens.
pub(crate) fn redis(url: &str) -> Result<()> {
    let url = ServerUrl::parse(url)?;
    let mut server = match url.scheme.as_str() {
        "redis" | "redis+unix" | "unix" => connect(&url, 6379)?,
        "rediss" => return connect(&url, 6379).map(drop),
        other => return Err(Failure::new(format!("`{other}://` is not Redis's scheme"))),
    };
    if let Some(password) = url.password.as_deref().or(url.parameter("pass")) {
        let auth: Vec<_> = std::iter::once("AUTH").chain(url.user.as_deref()).chain([password]).collect();
        redis_call(&mut server, &auth)?;
    }
    redis_call(&mut server, &["PING"])
}

/// Tells a Redis server to end. It answers by closing the connection.
pub(crate) fn redis_shutdown(port: u16, password: &str) -> Result<()> {
    let url = ServerUrl::parse(&format!("redis://127.0.0.1:{port}"))?;
    let mut server = connect(&url, port)?;
    redis_call(&mut server, &["AUTH", password])?;
    server.write_all(&redis_command(&["SHUTDOWN", "NOSAVE"])).context(|| "asking Redis to end".to_owned())
}

trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}

fn connect(url: &ServerUrl, default_port: u16) -> Result<Box<dyn Connection>> {
    let (host, port) = (url.host(), url.port.unwrap_or(default_port));
    let socket = if host.starts_with('/') {
        Some(format!("{host}/.s.PGSQL.{port}"))
    } else {
        url.scheme.ends_with("unix").then(|| format!("/{}", url.path))
    };
    let opened = match socket {
        Some(path) => UnixStream::connect(&path).context(|| format!("connecting to {path}")).and_then(|stream| {
            let timed = stream.set_read_timeout(Some(PATIENCE)).and(stream.set_write_timeout(Some(PATIENCE)));
            timed.context(|| "setting a time limit".to_owned())?;
            Ok(Box::new(stream) as Box<dyn Connection>)
        }),
        None => connect_tcp(host, port)
            .context(|| format!("connecting to {host}:{port}"))
            .map(|stream| Box::new(stream) as Box<dyn Connection>),
    }?;
    Ok(opened)
}

fn connect_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A message of PostgreSQL's start-up phase: its length, itself included, then its body.
fn message(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a start-up message is short");
    [&length.to_be_bytes(), body].concat()
}

/// The human-readable field of PostgreSQL's error message.
fn error_text(body: &[u8]) -> String {
    let fields = body.split(|&byte| byte == 0);
    let text =
        fields.filter_map(|field| field.strip_prefix(b"M")).next().unwrap_or(b"the server refused, without saying why");
    String::from_utf8_lossy(text).into_owned()
}

fn redis_call(server: &mut impl Connection, words: &[&str]) -> Result<()> {
    server.write_all(&redis_command(words)).context(|| format!("sending {}", words[0]))?;
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") && line.len() < 512 {
        line.extend(read_exactly(server, 1)?);
    }
    let line = String::from_utf8_lossy(&line);
    match line.chars().next() {
        Some('+') => Ok(()),
        Some('-') => Err(Failure::new(format!("{}: {}", words[0], line[1..].trim_end()))),
        _ => Err(Failure::new("the server does not speak Redis's protocol")),
    }
}

fn redis_command(words: &[&str]) -> Vec<u8> {
    let words = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", words.len(), words.collect::<String>()).into_bytes()
}

fn read_exactly(server: &mut (impl Read + ?Sized), length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    server.read_exact(&mut bytes).context(|| "waiting for the server's answer".to_owned())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A server that reads what comes and answers with `answer`.
    fn answering(answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut asked = [0; 512];
            let _ = client.read(&mut asked).unwrap();
            client.write_all(answer).unwrap();
        });
        port
    }

    #[test]
    fn postgres_is_known_by_its_request_for_a_password() {
        let port = answering(b"R\0\0\0\x08\0\0\0\x03");
        postgres(&format!("postgres://me@127.0.0.1:{port}/app")).unwrap();
    }

    #[test]
    fn a_refusal_of_postgres_is_repeated() {
        let port = answering(b"E\0\0\0\x1fSFATAL\0Mno such database\0\0\0");
        let failure = postgres(&format!("postgres://me@127.0.0.1:{port}/app")).unwrap_err();
        assert_eq!(failure.to_string(), "no such database");
    }

    #[test]
    fn a_server_without_tls_is_refused_where_it_is_required() {
        let port = answering(b"N");
        let failure = postgres(&format!("postgres://me@127.0.0.1:{port}/app?sslmode=require")).unwrap_err();
        assert!(failure.to_string().contains("does not speak TLS"), "{failure}");
    }

    #[test]
    fn a_wrong_password_of_redis_is_an_error() {
        let port = answering(b"-WRONGPASS invalid\r\n");
        let failure = redis(&format!("redis://:wrong@127.0.0.1:{port}")).unwrap_err();
        assert_eq!(failure.to_string(), "AUTH: WRONGPASS invalid");
    }

    #[test]
    fn another_kind_of_server_is_neither() {
        let port = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        assert!(postgres(&format!("postgres://127.0.0.1:{port}")).is_err());
        let port = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        assert!(redis(&format!("redis://127.0.0.1:{port}")).is_err());
        assert!(postgres("redis://127.0.0.1").is_err() && redis("postgres://127.0.0.1").is_err());
    }
}
