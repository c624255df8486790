//! More clients than a service serves, over real connections: listeners that never read, heads that never end, and thousands of
//! requests at once. The job runs all the same.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    iter,
    net::TcpStream,
    thread,
    time::Duration,
};

use hris::auth::Role;
use scheduler_tests::Api;

use crate::team::{Team, token};

const JOBS: &str = "/api/v1/scheduled-jobs";
const JOB: &str = "/api/v1/scheduled-jobs/auto_create_daily_attendance";

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_is_answered_or_turned_away_and_the_job_goes_on() {
    let team = Team::start(1, &[], (10, 0), 4).await;
    let base = team.instances[0].base.clone();
    let process = team.instances[0].process.id();
    tokio::task::spawn_blocking(move || crowd(&base, process)).await.expect("it goes on");
    team.stop().await;
}

fn crowd(base: &str, process: u32) {
    let before = resident_mb(process);
    let token = token("dewi", Role::SuperAdmin);
    let address = base.trim_start_matches("http://").trim_end_matches('/');
    let events = format!("GET {JOBS}/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n");
    let listeners: Vec<_> = (0..400).map(|_| send(address, &events)).collect();
    let mut answers = BTreeMap::new();
    for mut listener in &listeners {
        let mut head = [0; 12];
        listener.read_exact(&mut head).expect("each is answered");
        *answers.entry(String::from_utf8_lossy(&head[9..]).into_owned()).or_insert(0) += 1;
    }
    assert_eq!(answers, BTreeMap::from([("200".to_owned(), 256), ("429".to_owned(), 144)]));
    // None of them reads on, and these never end their request.
    let unended: Vec<_> = (0..200).map(|_| send(address, "GET / HTTP/1.1\r\nx-slow: ")).collect();

    let mut answers = BTreeMap::new();
    thread::scope(|scope| {
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let api = Api::new(base, Some(&token));
                scope.spawn(move || (0..100).map(|_| api.get(JOBS).status).collect::<Vec<_>>())
            })
            .collect();
        let api = Api::new(base, Some(&token));
        // Who is turned away asks again.
        let mut asked = iter::repeat_with(|| api.post(&format!("{JOB}/trigger?wait=60s"), "", ""));
        let ran = asked.find(|answer| answer.status != 429).expect("it is asked until it is served");
        assert_eq!((ran.status, ran.body["data"]["status"].as_str()), (200, Some("succeeded")), "{}", ran.body);
        for caller in callers {
            for status in caller.join().expect("each is answered") {
                *answers.entry(status).or_insert(0) += 1;
            }
        }
    });
    assert!(answers.keys().all(|status| [200, 429].contains(status)), "{answers:?}");
    assert_eq!(answers.values().sum::<usize>(), 10_000);
    let grown = resident_mb(process).saturating_sub(before);
    assert!(grown < 200, "{grown} MB");
    drop((listeners, unended));
}

fn send(address: &str, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the service listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit that is more than nothing");
    stream.write_all(text.as_bytes()).expect("it is sent");
    stream
}

fn resident_mb(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") / 1024
}
