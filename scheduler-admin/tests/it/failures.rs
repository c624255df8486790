use axum::http::Method;
use uuid::Uuid;

use crate::{
    service::{Answer, Call, Service},
    store::{Mode, SECRET},
};

const READS: [&str; 5] = ["", "/attendance", "/attendance/history", "/executions/recent", "/executions/1"];

async fn calls(service: &Service) -> Vec<Answer> {
    let mut answers = Vec::new();
    for path in READS {
        answers.push(service.get(path).await);
    }
    answers.push(service.call(Call::post("/typed/trigger")).await);
    for answer in &answers {
        let text = answer.json.to_string();
        assert!(!text.contains("password") && !text.contains("internal:5432"), "{text}");
        assert!(!text.contains(SECRET));
    }
    answers
}

#[tokio::test]
async fn a_store_that_is_away_is_503_with_when_to_come_back() {
    let service = Service::start().await;
    for mode in [Mode::Away, Mode::Lost] {
        service.store.set(mode);
        for answer in calls(&service).await {
            answer.is(503, "unavailable");
            assert_eq!(answer.headers["retry-after"], "1");
        }
    }
    service.store.set(Mode::Works);
    assert_eq!(service.get("/attendance").await.status, 200);
}

#[tokio::test]
async fn a_lost_answer_to_a_trigger_says_that_it_may_run() {
    let service = Service::start().await;
    service.store.set(Mode::Lost);
    let answer = service.call(Call::post("/typed/trigger")).await;
    assert!(answer.message().contains("Idempotency-Key"), "{}", answer.message());
}

#[tokio::test]
async fn what_nobody_outside_can_mend_is_500_with_an_id_alone() {
    let service = Service::start().await;
    for mode in [Mode::Refuses, Mode::Panics] {
        service.store.set(mode);
        for answer in calls(&service).await {
            answer.is(500, "internal");
            let id = answer.json["data"]["error_id"].as_str().expect("an id");
            assert!(id.parse::<Uuid>().is_ok() && answer.message().contains(id));
        }
    }
}

#[tokio::test]
async fn a_request_without_a_token_is_401_even_while_the_store_is_away() {
    let service = Service::start().await;
    service.store.set(Mode::Panics);
    service.call(Call::new(Method::GET, "/attendance").anonymous()).await.is(401, "unauthenticated");
}
