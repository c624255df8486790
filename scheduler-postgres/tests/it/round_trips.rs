//! How often a warm store waits for the server, counted by a proxy between them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use scheduler_core::{
    identity::{ExecutionId, InstanceId},
    status::Status,
    store::{
        ClaimOutcome, DueRequest, ExecutionStore as _, Finish, FinishOutcome, HeldLease, ManualOutcome, ManualRequest,
        NextAttempt, TakeOutcome, TakeRequest,
    },
};
use scheduler_postgres::PostgresStore;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{lost_reply, server::Schema};

/// Counts how often the client speaks after the server has: each is one wait for an answer.
#[derive(Debug, Default)]
struct Turns {
    count: AtomicUsize,
    server_spoke: AtomicBool,
}

impl Turns {
    fn take(&self) -> usize {
        self.count.swap(0, Ordering::SeqCst)
    }
}

/// A proxy to this server; its port.
async fn proxy(server: String, turns: Arc<Turns>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.expect("the server listens");
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let (asks, answers) = (Arc::clone(&turns), Arc::clone(&turns));
            answers.server_spoke.store(true, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut buffer = vec![0; 65_536];
                while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                    if asks.server_spoke.swap(false, Ordering::SeqCst) {
                        asks.count.fetch_add(1, Ordering::SeqCst);
                    }
                    if to_server.write_all(&buffer[..read]).await.is_err() {
                        break;
                    }
                }
            });
            tokio::spawn(async move {
                let mut buffer = vec![0; 65_536];
                while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                    answers.server_spoke.store(true, Ordering::SeqCst);
                    if to_client.write_all(&buffer[..read]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

/// The URL with the server's host and port taken out, and another port put in.
fn through(url: &str, port: u16) -> (String, String) {
    let (head, rest) = url.split_once('@').expect("a user");
    let (server, path) = rest.split_once('/').expect("a database");
    let database = path.split('?').next().expect("a database");
    let server = if server.contains(':') { server.to_owned() } else { format!("{server}:5432") };
    (server, format!("{head}@127.0.0.1:{port}/{database}?sslmode=disable"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_claim_take_renewal_outcome_and_look_is_one_trip_each() {
    let schema = Schema::new();
    schema.store().await;
    let client = schema.client().await;
    let turns = Arc::new(Turns::default());
    let port = proxy(through(&schema.url, 0).0, Arc::clone(&turns)).await;
    let store = PostgresStore::connect_lazy(&through(&schema.url, port).1)
        .expect("a URL")
        .with_schema(&schema.name)
        .expect("a name")
        .with_pool_size(1);
    for round in 0..2 {
        let warm = round == 1;
        let check = |what: &str, trips: usize| {
            assert!(trips > 0, "{what} goes through the proxy");
            assert!(!warm || trips == 1, "{what}: {trips} trips");
        };
        let mut claims = Vec::new();
        for job in 0..20 {
            claims.push(lost_reply::claim(&store, &client, &format!("job{round}-{job}")).await);
        }
        turns.take();
        let outcomes = store.claim(&claims).await.expect("claimed");
        check("a batch of claims", turns.take());
        let grants: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| match outcome {
                ClaimOutcome::Granted(grant) => grant,
                other => panic!("expected a grant, got {other:?}"),
            })
            .collect();
        let held: Vec<_> = grants
            .iter()
            .map(|grant| HeldLease {
                execution_id: grant.execution_id,
                fence: grant.fence,
                lease: Duration::from_secs(30),
            })
            .collect();
        assert_eq!(store.renew(&held).await.expect("renewed").len(), 20);
        check("a batch of renewals", turns.take());
        let finishes: Vec<_> = grants.iter().map(|grant| finish(grant.execution_id, grant.fence)).collect();
        let finished = store.finish(&finishes).await.expect("finished");
        check("a batch of outcomes", turns.take());
        assert!(finished.iter().all(|outcome| matches!(outcome, FinishOutcome::Finished { .. })));
        let request = ManualRequest {
            job_id: claims[0].job_id.clone(),
            occurrence: scheduler_core::occurrence::OccurrenceKey::manual(&round.to_string()),
            request_hash: None,
            max_attempts: 1,
            overlap: claims[0].overlap,
            actor: None,
            params: None,
            trace_context: None,
        };
        let ManualOutcome::Accepted(row) = store.request(&request).await.expect("requested") else {
            panic!("accepted")
        };
        turns.take();
        assert_eq!(
            store
                .due(&DueRequest { instance: InstanceId::random(), jobs: None, after: None, limit: 10 })
                .await
                .expect("looked")
                .len(),
            1
        );
        check("a look", turns.take());
        let take = TakeRequest {
            execution_id: row.id,
            claim_id: scheduler_core::identity::ClaimId::random(),
            holds_key: true,
            at_once: None,
            rerun_on_crash: false,
            lease: Duration::from_secs(30),
            instance: claims[0].instance,
            every_instance: false,
        };
        let taken = store.take(&[take]).await.expect("taken");
        check("a take", turns.take());
        let TakeOutcome::Granted { grant, .. } = &taken[0] else { panic!("expected a grant, got {taken:?}") };
        store.finish(&[finish(grant.execution_id, grant.fence)]).await.expect("finished");
    }
}

/// What a thousand of anything cost: as many trips as one of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_claims_outcomes_and_takes_are_one_trip_each() {
    const JOBS: usize = 1_000;
    let schema = Schema::new();
    schema.store().await;
    let client = schema.client().await;
    let turns = Arc::new(Turns::default());
    let port = proxy(through(&schema.url, 0).0, Arc::clone(&turns)).await;
    let store = PostgresStore::connect_lazy(&through(&schema.url, port).1)
        .expect("a URL")
        .with_schema(&schema.name)
        .expect("a name")
        .with_pool_size(1);
    let mut claims = Vec::new();
    for job in 0..JOBS {
        claims.push(lost_reply::claim(&store, &client, &format!("job{job}")).await);
    }
    // Prepared by the first of each.
    let mut trips = Vec::new();
    let mut waiting = Vec::new();
    for claims in [&claims[..2], &claims[2..]] {
        turns.take();
        let outcomes = store.claim(claims).await.expect("claimed");
        let claimed = turns.take();
        let finishes: Vec<_> = outcomes
            .iter()
            .map(|outcome| match outcome {
                ClaimOutcome::Granted(grant) => Finish {
                    status: Status::Failed,
                    next: Some(NextAttempt { after: Duration::ZERO, holds_key: true }),
                    ..finish(grant.execution_id, grant.fence)
                },
                other => panic!("expected a grant, got {other:?}"),
            })
            .collect();
        let finished = store.finish(&finishes).await.expect("finished");
        trips.push((claimed, turns.take()));
        for outcome in finished {
            let FinishOutcome::Finished { next: Some(next), .. } = outcome else {
                panic!("expected a retry, got {outcome:?}")
            };
            waiting.push(next);
        }
    }
    assert_eq!(trips[1], (1, 1));
    let take = |execution_id: &ExecutionId| TakeRequest {
        execution_id: *execution_id,
        claim_id: scheduler_core::identity::ClaimId::random(),
        holds_key: true,
        at_once: None,
        rerun_on_crash: false,
        lease: Duration::from_secs(30),
        instance: claims[0].instance,
        every_instance: false,
    };
    let takes: Vec<TakeRequest> = waiting.iter().map(take).collect();
    for takes in [&takes[..2], &takes[2..]] {
        turns.take();
        let taken = store.take(takes).await.expect("taken");
        assert!(taken.iter().all(|outcome| matches!(outcome, TakeOutcome::Granted { .. })));
    }
    assert_eq!(turns.take(), 1);
}

fn finish(execution_id: ExecutionId, fence: scheduler_core::identity::FencingToken) -> Finish {
    Finish {
        execution_id,
        fence,
        status: Status::Succeeded,
        reason: None,
        message: Some("done".to_owned()),
        error_trace: None,
        result_data: Some(serde_json::json!({ "n": 1 })),
        next: None,
    }
}
