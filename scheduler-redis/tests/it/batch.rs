//! Trips to the server.

use std::{sync::Arc, time::Duration};

use scheduler_core::lock::{Acquired, LockBackend as _, LockMode};
use tokio::sync::Mutex;

use crate::{
    proxy::Proxy,
    server::{beside, filter, locks_at, request, that_answers},
};

const LEASE: LockMode = LockMode::Lease { ttl: Duration::from_secs(60), exclusive: true };

/// Held where trips are counted, and where the server is made to forget its scripts, which costs everybody one.
static SCRIPTS: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn a_warm_call_is_one_trip() {
    let _scripts = SCRIPTS.lock().await;
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    let Acquired::Granted(Some(lease)) = locks.acquire(&[request("cold", 0, LEASE)]).await.unwrap().remove(0) else {
        panic!("not granted")
    };
    for _ in 0..2 {
        assert!(locks.renew(&lease, Duration::from_secs(60)).await.unwrap());
        locks.check().await.unwrap();
    }
    let before = proxy.trips();
    assert!(matches!(filter(&locks, 0).await.unwrap(), Acquired::Granted(None)));
    assert_eq!(proxy.trips() - before, 1, "acquire");
    assert!(locks.renew(&lease, Duration::from_secs(60)).await.unwrap());
    assert_eq!(proxy.trips() - before, 2, "renew");
    assert!(locks.release(&lease).await.unwrap());
    assert_eq!(proxy.trips() - before, 3, "release");
    assert!(locks.cursor(&lease.job_id).await.unwrap().is_some());
    assert_eq!(proxy.trips() - before, 4, "cursor");
    assert_eq!(proxy.accepted(), 1);
}

#[tokio::test]
async fn a_thousand_requests_are_one_command() {
    const REQUESTS: usize = 1_000;
    let _scripts = SCRIPTS.lock().await;
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    filter(&locks, 0).await.unwrap();
    let mut requests: Vec<_> =
        (0..REQUESTS).map(|number| request(&format!("job-{number}"), 0, LockMode::Filter)).collect();
    requests[500].occurrence = None;
    requests[500].mode = LEASE;
    requests[501] = request("daily", 0, LockMode::Filter);
    let before = (proxy.trips(), proxy.scripts());
    let answers = locks.acquire(&requests).await.unwrap();
    assert_eq!((proxy.trips() - before.0, proxy.scripts() - before.1), (1, 1));
    assert_eq!(answers.len(), REQUESTS);
    for (number, answer) in answers.iter().enumerate() {
        match number {
            500 => assert!(matches!(answer, Acquired::Granted(Some(lease)) if lease.job_id == requests[500].job_id)),
            501 => assert_eq!(*answer, Acquired::AlreadyClaimed),
            _ => assert_eq!(*answer, Acquired::Granted(None), "{number}"),
        }
    }
    assert_eq!(proxy.accepted(), 1);
}

#[tokio::test]
async fn occurrences_of_one_job_in_one_batch_are_decided_in_their_order() {
    let _scripts = SCRIPTS.lock().await;
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    filter(&locks, -1).await.unwrap();
    let before = (proxy.trips(), proxy.scripts());
    // Each is above the one before, so that another order would refuse some.
    let rising: Vec<_> = (0..1_500).map(|seconds| request("daily", seconds, LockMode::Filter)).collect();
    let answers = locks.acquire(&rising).await.unwrap();
    assert_eq!(answers, vec![Acquired::Granted(None); 1_500]);
    assert_eq!((proxy.trips() - before.0, proxy.scripts() - before.1), (1, 2), "a script is of 1,000 at most");
}

#[tokio::test]
async fn a_server_that_wants_one_key_a_script_is_asked_so_from_its_first_refusal_on() {
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let url = that_answers({
        let asked = Arc::clone(&asked);
        move |command| {
            let words: Vec<_> = command.split("\r\n").skip(2).step_by(2).collect();
            let ["EVALSHA", _, keys, ..] = words[..] else { return "+OK\r\n".to_owned() };
            asked.lock().unwrap().push(keys.to_owned());
            // Of two requests for one key, the second is refused.
            match (keys, words[3].contains("twice")) {
                ("1", _) => "*1\r\n:0\r\n".to_owned(),
                ("2", true) => "*2\r\n:0\r\n$7\r\nclaimed\r\n".to_owned(),
                _ => "-CROSSSLOT Keys in request don't hash to the same slot\r\n".to_owned(),
            }
        }
    })
    .await;
    let locks = locks_at(&url);
    let batch = ["once", "twice", "other", "twice"].map(|id| request(id, 0, LockMode::Filter));
    let granted = Acquired::Granted(None);
    let expected = [granted.clone(), granted.clone(), granted, Acquired::AlreadyClaimed];
    for commands in [&["4", "1", "2", "1"][..], &["1", "2", "1"]] {
        assert_eq!(locks.acquire(&batch).await.unwrap(), expected);
        assert_eq!(std::mem::take(&mut *asked.lock().unwrap()), commands);
    }
}

#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_told_them_again() {
    let _scripts = SCRIPTS.lock().await;
    let proxy = Proxy::start().await;
    let locks = locks_at(&proxy.url());
    let batch: Vec<_> = (0..3).map(|number| request(&format!("job-{number}"), 0, LEASE)).collect();
    locks.check().await.unwrap();
    let forget = async || {
        let flushed: () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut beside().await).await.unwrap();
        flushed
    };
    forget().await;
    let before = proxy.trips();
    let answers = locks.acquire(&batch).await.unwrap();
    assert_eq!(proxy.trips() - before, 2);
    let leases: Vec<_> = answers
        .into_iter()
        .zip(&batch)
        .map(|(answer, request)| match answer {
            Acquired::Granted(Some(lease)) if lease.job_id == request.job_id => lease,
            other => panic!("{other:?}"),
        })
        .collect();
    forget().await;
    assert!(locks.renew(&leases[0], Duration::from_secs(60)).await.unwrap());
    forget().await;
    assert!(locks.release(&leases[0]).await.unwrap());
}
