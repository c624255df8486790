//! Requests of many tasks, which share their trips: while trips are under way, what arrives is gathered for the next.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::Value;
use tokio::{runtime::Handle, sync::oneshot, task::yield_now, time::timeout};

use crate::{
    error::RedisError,
    link::{Line, Link},
    script::{Call, Script},
    trip,
};

/// How long a caller waits at most, if it does not give up before. Each step that it may have to wait for (the trip before,
/// a new connection, its own trip) ends by a limit of its own, of two seconds, where its runtime is being run; this is for
/// a trip on a runtime that is not.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// How many trips are under way at most: while the server runs the scripts of one, the answers of the other are read, and
/// its callers ask again.
const MOST_UNDER_WAY: usize = 2;

/// Where requests are gathered. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Gathering {
    link: Link,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Request>,
    /// The number of the trip that `waiting` goes with. Numbers grow.
    gathered: u64,
    /// Whether a task is about to send it.
    is_departing: bool,
    /// The trips that are sent and not answered, the oldest first.
    under_way: Vec<Trip>,
}

#[derive(Debug)]
struct Trip {
    number: u64,
    line: Line,
}

/// What one caller asks, and where to answer.
#[derive(Debug)]
struct Request {
    script: Script,
    calls: Vec<Call>,
    answer: oneshot::Sender<Result<Vec<Value>, RedisError>>,
}

impl Gathering {
    pub(crate) fn new(link: Link) -> Self {
        Self { link, queue: Arc::default() }
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Runs a script on each call; the answers in their order. The first refusal is the error.
    ///
    /// The calls go with the next trip: at once where none is under way.
    ///
    /// # Cancel safety
    /// A dropped call may have had its effect, unless it was still gathered: then it is not sent. The trip goes on for
    /// the others in it, and the next one does not wait for it and uses another connection, in case this one was dead.
    pub(crate) async fn ask(&self, script: Script, calls: Vec<Call>) -> Result<Vec<Value>, RedisError> {
        let (answer, answered) = oneshot::channel();
        let trip = self.add(Request { script, calls, answer });
        let mut waiting = Waiting { gathering: self, trip, answered, is_over: false };
        let answers = match timeout(LONGEST_WAIT, &mut waiting.answered).await {
            Ok(Ok(answers)) => answers,
            Ok(Err(_)) => Err(self.lost("the runtime of the connection has ended")),
            Err(_) => return Err(self.lost("no answer in time")),
        };
        waiting.is_over = true;
        answers?.into_iter().map(|answer| answer.extract_error().map_err(|error| self.link.explain(error))).collect()
    }

    /// Adds a request to those that wait; the number of the trip that it goes with.
    fn add(&self, request: Request) -> u64 {
        let mut queue = self.queue();
        queue.waiting.push(request);
        if queue.has_room() {
            queue.is_departing = true;
            tokio::spawn(self.clone().travel(queue.gathered));
        }
        queue.gathered
    }

    /// Makes trips, from this one on, until nobody waits.
    async fn travel(self, first: u64) {
        let mut travels = Travels { gathering: &self, number: first };
        loop {
            // Tasks that are ready to run may be about to ask, above all those that the last trip has answered.
            yield_now().await;
            if !self.queue().is_wanted() {
                return;
            }
            let opened = self.link.line().await;
            let Some(requests) = self.queue().depart(opened.as_ref().ok()) else { return };
            match opened {
                Ok(line) => make(&line, requests).await,
                Err(error) => tell_all(requests, &error),
            }
            let Some(next) = self.queue().arrive(travels.number) else { return };
            travels.number = next;
        }
    }

    /// Somebody gave up waiting for the answers of this trip. If it is under way, or can't leave before one that is, that
    /// one's connection may be dead: the next trip does not wait for it.
    fn give_up(&self, number: u64) {
        let mut queue = self.queue();
        let Some(line) = queue.suspect(number) else { return };
        line.leave();
        queue.under_way.retain(|trip| !trip.line.is_same(&line));
        queue.waiting.retain(|request| !request.answer.is_closed());
        if queue.waiting.is_empty() || !queue.has_room() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            queue.is_departing = true;
            runtime.spawn(self.clone().travel(queue.gathered));
        } else {
            // Nothing can run here. They learn that there is no answer.
            queue.waiting.clear();
        }
    }

    fn lost(&self, problem: &str) -> RedisError {
        RedisError::Lost { server: self.link.config().server(), source: Arc::from(Box::from(problem)) }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Whether what waits needs a task that sends it, and may be sent now.
    fn has_room(&self) -> bool {
        !self.is_departing && self.under_way.len() < MOST_UNDER_WAY
    }

    /// Whether anybody waits for the next trip. If not, it does not take place.
    fn is_wanted(&mut self) -> bool {
        self.waiting.retain(|request| !request.answer.is_closed());
        if self.waiting.is_empty() {
            self.gathered += 1;
            self.is_departing = false;
        }
        !self.waiting.is_empty()
    }

    /// The requests that go with the next trip; `None` where all have given up.
    fn depart(&mut self, line: Option<&Line>) -> Option<Vec<Request>> {
        if !self.is_wanted() {
            return None;
        }
        self.under_way.extend(line.map(|line| Trip { number: self.gathered, line: line.clone() }));
        self.gathered += 1;
        self.is_departing = false;
        Some(mem::take(&mut self.waiting))
    }

    /// The number of the next trip, unless another task makes it.
    fn arrive(&mut self, number: u64) -> Option<u64> {
        self.under_way.retain(|trip| trip.number != number);
        if !self.has_room() {
            return None;
        }
        self.is_departing = true;
        Some(self.gathered)
    }

    /// The connection that may be dead, as somebody gave up waiting for the answers of this trip.
    fn suspect(&self, number: u64) -> Option<Line> {
        let is_held_up = number == self.gathered && !self.is_departing;
        let trip = self.under_way.iter().find(|trip| trip.number == number || is_held_up)?;
        Some(trip.line.clone())
    }
}

/// Sends the requests in one trip, and answers them. Ends early when nobody waits any more.
async fn make(line: &Line, mut requests: Vec<Request>) {
    requests.sort_by_key(|request| request.script);
    let batch: Vec<_> = requests.iter_mut().map(|request| (request.script, mem::take(&mut request.calls))).collect();
    let trip = trip::run(line, batch.iter().map(|(script, calls)| (*script, &calls[..])));
    let answers = tokio::select! {
        biased;
        answers = trip => answers,
        () = nobody_waits(&mut requests) => return,
    };
    match answers {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            for (request, (_, calls)) in requests.into_iter().zip(&batch) {
                // Whoever has given up needs none.
                let _ = request.answer.send(Ok(answers.by_ref().take(calls.len()).collect()));
            }
        }
        Err(error) => tell_all(requests, &error),
    }
}

fn tell_all(requests: Vec<Request>, error: &RedisError) {
    for request in requests {
        let _ = request.answer.send(Err(error.clone()));
    }
}

async fn nobody_waits(requests: &mut [Request]) {
    for request in requests {
        request.answer.closed().await;
    }
}

/// A caller that waits. One that gives up says so.
struct Waiting<'a> {
    gathering: &'a Gathering,
    trip: u64,
    answered: oneshot::Receiver<Result<Vec<Value>, RedisError>>,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.answered.close();
        if !self.is_over && self.answered.try_recv().is_err() {
            self.gathering.give_up(self.trip);
        }
    }
}

/// A task that makes trips. When it ends before they are done, with its runtime, nobody is left waiting for it.
struct Travels<'a> {
    gathering: &'a Gathering,
    number: u64,
}

impl Drop for Travels<'_> {
    fn drop(&mut self) {
        let mut queue = self.gathering.queue();
        queue.under_way.retain(|trip| trip.number != self.number);
        if queue.is_departing && queue.gathered == self.number {
            queue.is_departing = false;
        }
        if queue.has_room() {
            queue.waiting.clear();
        }
    }
}
