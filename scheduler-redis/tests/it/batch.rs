//! Trips to the server.

use std::time::Duration;

use scheduler_core::lock::{Acquired, LockBackend as _, LockMode};
use tokio::sync::Mutex;

use crate::{
    proxy::Proxy,
    server::{beside, filter, locks_at, request},
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
async fn a_thousand_requests_are_sent_before_the_first_answer_comes() {
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
    proxy.hold_answers_until("EVALSHA", REQUESTS);
    let answers = locks.acquire(&requests).await.unwrap();
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
