//! A pgbouncer of one test, in transaction mode.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::server;

/// A pooler in front of the server of `DATABASE_URL`; it ends with this.
#[derive(Debug)]
pub struct Pooler {
    child: Child,
    port: u16,
    _directory: TempDir,
}

impl Pooler {
    /// A pooler with this many connections to the server, however many come to it.
    ///
    /// # Panics
    /// When pgbouncer is not installed (`cargo xtask services up` does it on Debian), or does not start.
    #[must_use]
    pub fn start(connections: u32) -> Self {
        let url = server("DATABASE_URL");
        let config: tokio_postgres::Config = url.parse().expect("`DATABASE_URL` is a URL");
        let (user, password) = (config.get_user().expect("a user"), config.get_password().unwrap_or_default());
        let password = std::str::from_utf8(password).expect("a password in UTF-8");
        let database_port = config.get_ports().first().copied().unwrap_or(5432);
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        let directory = tempfile::tempdir().expect("a directory");
        let users = directory.path().join("users.txt");
        let settings = directory.path().join("pgbouncer.ini");
        std::fs::write(&users, format!("\"{user}\" \"{password}\"\n")).expect("written");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={database_port} user={user}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\npool_mode = transaction\n\
             max_client_conn = 200\ndefault_pool_size = {connections}\nignore_startup_parameters = extra_float_digits\n",
            users.display()
        );
        std::fs::write(&settings, text).expect("written");
        // It refuses to run as root, and its other user has to read what it is given.
        open_to_all(directory.path());
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].into_iter().find(|path| Path::new(path).exists());
        let mut command = Command::new(program.unwrap_or("pgbouncer"));
        if is_root() {
            command.args(["-u", "nobody"]);
        }
        let mut child = command.arg("-q").arg(&settings).stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect(
            "pgbouncer is not installed: `cargo xtask services up` installs it on Debian, else install it by hand",
        );
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Self { child, port, _directory: directory };
            }
            if let Some(status) = child.try_wait().expect("a child's end is seen") {
                panic!("pgbouncer ended at once ({status})");
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("pgbouncer did not listen within 10 s");
    }

    /// The URL of a database through the pooler.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        let url = server("DATABASE_URL");
        let config: tokio_postgres::Config = url.parse().expect("`DATABASE_URL` is a URL");
        format!("postgres://{}@127.0.0.1:{}/{database}?sslmode=disable", config.get_user().expect("a user"), self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open_to_all(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory, open).expect("one's own directory");
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}
