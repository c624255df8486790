//! Real servers, in a state directory of the test's own: those of a running `cargo xtask test` are not touched.

use std::{collections::BTreeMap, io::Write, net::TcpStream, os::unix::fs::PermissionsExt, process::Command};

use super::*;

/// Stops the servers also when the test fails.
struct Private {
    services: Services,
    _directory: tempfile::TempDir,
}

impl Private {
    fn new(given: Given) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let services = Services::new(root, directory.path().join("services"), given);
        Self { services, _directory: directory }
    }

    fn up(&self) -> BTreeMap<&'static str, String> {
        self.services.up().unwrap().variables().map(|(name, value)| (name, value.to_owned())).collect()
    }

    fn state(&self) -> State {
        State::load(&self.services.state_file()).unwrap().unwrap()
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Err(failure) = self.services.down() {
            eprintln!("{failure}");
        }
    }
}

fn pid(server: &Option<Server>) -> u32 {
    server.as_ref().and_then(|server| server.pid).expect("started on this machine")
}

#[test]
fn servers_are_started_once_repaired_after_a_kill_and_leave_nothing() {
    let private = Private::new(Given::default());
    assert!(!private.services.status().unwrap().all_answer());

    let first = private.services.up().unwrap();
    assert!(first.started_from_nothing());
    let variables = private.up();
    let names: Vec<_> = variables.keys().copied().collect();
    assert_eq!(names, ["DATABASE_TLS_URL", "DATABASE_URL", "REDIS_TLS_URL", "REDIS_URL", "TEST_TLS_CA_FILE"]);
    let before = private.state();
    assert!(private.services.status().unwrap().all_answer());

    // A second `up` changes nothing.
    assert!(!private.services.up().unwrap().started_from_nothing());
    assert_eq!(private.state(), before);

    // A killed server is found out and started again, under the same password and, its port being free, the same URL.
    process::kill(pid(&before.postgres), "postgres");
    assert!(process::wait_until(std::time::Duration::from_secs(5), || !process::runs(
        pid(&before.postgres),
        "postgres"
    )));
    assert!(!private.services.status().unwrap().all_answer());
    assert!(!private.services.up().unwrap().started_from_nothing());
    let after = private.state();
    assert_ne!(pid(&after.postgres), pid(&before.postgres));
    assert_eq!(pid(&after.redis), pid(&before.redis), "the other server was left alone");
    assert!(private.services.status().unwrap().all_answer());
    ping::postgres(&private.up()["DATABASE_URL"]).unwrap();

    private.services.down().unwrap();
    assert!(!private.services.directory.exists() && !after.home.exists());
    assert!(!process::runs(pid(&after.postgres), "postgres") && !process::runs(pid(&after.redis), "redis"));
    private.services.down().unwrap();
}

#[test]
fn both_servers_speak_tls_under_the_exported_authority() {
    let private = Private::new(Given::default());
    let variables = private.up();
    ping::postgres(&variables["DATABASE_TLS_URL"]).unwrap();
    let redis = url::ServerUrl::parse(&variables["REDIS_TLS_URL"]).unwrap();

    // What is not TLS is answered by an alert (record type 21) or by closing, never by Redis's own protocol.
    let mut server = TcpStream::connect((redis.host(), redis.port.unwrap())).unwrap();
    server.write_all(b"PING\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = std::io::Read::read_to_end(&mut server, &mut answer);
    assert!(answer.first().is_none_or(|&byte| byte == 21), "{answer:?}");

    let authority = fs::read_to_string(&variables["TEST_TLS_CA_FILE"]).unwrap();
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"), "{authority}");
    let key = private.state().home.join("tls/server.key");
    assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o077, 0, "the key is the servers' alone");
}

#[test]
fn given_servers_are_used_and_private_ones_serve_tls_beside_them() {
    let outer = Private::new(Given::default());
    let urls = outer.up();
    let given = Given {
        database_url: Some(urls["DATABASE_URL"].clone()),
        redis_url: Some(urls["REDIS_URL"].clone()),
        tls: None,
    };
    let private = Private::new(given);
    let names: Vec<_> = private.up().into_keys().collect();
    assert_eq!(names, ["DATABASE_TLS_URL", "REDIS_TLS_URL", "TEST_TLS_CA_FILE"]);
    let status = private.services.status().unwrap().to_string();
    assert!(status.contains("given by the environment"), "{status}");
    let password = &outer.state().password;
    assert!(!status.contains(password.as_str()), "{status}");

    // What was given outlives `down`.
    private.services.down().unwrap();
    ping::redis(&urls["REDIS_URL"]).unwrap();
}

#[test]
fn state_left_by_a_reboot_starts_new_servers() {
    let private = Private::new(Given::default());
    private.up();
    let state = private.state();
    private.services.stop(&state).unwrap();
    // Its numbers belong to other processes by now, and the temporary directory was emptied.
    let own = std::process::id();
    let stale = |server: &Option<Server>| server.clone().map(|server| Server { pid: Some(own), ..server });
    let stale = State { postgres: stale(&state.postgres), redis: stale(&state.redis), ..state };
    stale.save(&private.services.state_file()).unwrap();
    private.up();
    assert!(private.services.status().unwrap().all_answer());
}

#[test]
fn exported_lines_are_read_by_a_shell() {
    let up =
        Up { variables: vec![("DATABASE_URL", "postgres:///it's?a=b&c=d".to_owned())], started_from_nothing: true };
    let script = format!("{}printf %s \"$DATABASE_URL\"", up.exports());
    let printed = Command::new("sh").arg("-c").arg(script).output().unwrap();
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), "postgres:///it's?a=b&c=d");
}
