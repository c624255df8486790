//! What happens, as it happens: server-sent events.

mod change;
mod feed;

use std::{collections::VecDeque, convert::Infallible, pin::Pin, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse as _, Response, Sse, sse::Event},
};
use change::Change;
use futures_util::{StreamExt as _, stream};
use scheduler_core::SchedulerHandle;
use tokio::sync::broadcast::{Receiver, error::RecvError};

pub(crate) use feed::Feed;
use feed::Told;

use crate::{api::Api, caller::Caller, error::ApiError};

/// The header by which a client says where it was.
const LAST_EVENT_ID: &str = "last-event-id";
/// How long nothing may happen until the connection shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a stream lives: whether its caller may still read is asked when they come back.
const LIFETIME: Duration = Duration::from_secs(300);
/// How soon a client comes back.
const RETRY: Duration = Duration::from_secs(1);

/// `GET /events`
pub(crate) async fn events(State(api): State<Api>, caller: Caller, headers: HeaderMap) -> Result<Response, ApiError> {
    stream(api, caller, headers).await
}

/// What a caller hears, from the last event on that they name.
pub(crate) async fn stream(api: Api, mut caller: Caller, headers: HeaderMap) -> Result<Response, ApiError> {
    let after = headers.get(LAST_EVENT_ID).map(|id| {
        let place = id.to_str().ok().and_then(Change::read_id);
        place.ok_or_else(|| ApiError::parameter("Last-Event-ID", "is none that an event had"))
    });
    let after = after.transpose()?;
    caller.goes_to(api.limits.stream()?);
    // Subscribed before it reads what was: what happens meanwhile is told twice rather than not.
    let changes = api.feed.subscribe().await?;
    let waiting = match after {
        Some(after) => api.feed.since(after).await?.into(),
        None => VecDeque::new(),
    };
    let life = caller.time_left().map_or(LIFETIME, |left| left.min(LIFETIME));
    let (life, server) = (api.handle.sleep(life), api.ends());
    let ends = Box::pin(async {
        tokio::select! {
            () = life => {}
            () = server => {}
        }
    });
    let listener = Listener { handle: api.handle, caller, changes, waiting, ends };
    let hello = stream::iter([Ok(Event::default().retry(RETRY))]);
    let mut response = Sse::new(hello.chain(stream::unfold(listener, Listener::next))).into_response();
    // A proxy that collects an answer would keep events back.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// Somebody who listens.
///
/// What waits for them is the feed's, and bounded: who is too far behind is told to read again.
struct Listener {
    handle: SchedulerHandle,
    caller: Caller,
    changes: Receiver<Told>,
    waiting: VecDeque<Told>,
    ends: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Listener {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            while let Some(told) = self.waiting.pop_front() {
                let event = match told {
                    Told::Reset => Some(Event::default().event("reset").data("{}")),
                    // Who can't be checked now is sent away, and comes back.
                    Told::Change(change) => match is_seen(&change, &self.caller).await.ok()? {
                        true => Some(change.event(&self.handle)),
                        false => None,
                    },
                };
                if let Some(event) = event {
                    return Some((Ok(event), self));
                }
            }
            tokio::select! {
                biased;
                () = &mut self.ends => return None,
                change = self.changes.recv() => match change {
                    Ok(told) => self.waiting.push_back(told),
                    Err(RecvError::Lagged(_)) => self.waiting.push_back(Told::Reset),
                    Err(RecvError::Closed) => return None,
                },
                () = self.handle.sleep(KEEP_ALIVE) => return Some((Ok(Event::default().comment("")), self)),
            }
        }
    }
}

async fn is_seen(change: &Change, caller: &Caller) -> Result<bool, ApiError> {
    match change.job_id() {
        Some(job_id) => caller.sees(job_id).await,
        None => caller.sees_all().await,
    }
}
