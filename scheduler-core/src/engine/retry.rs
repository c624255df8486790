//! Trying again while a backend is away (R10).

use std::time::Duration;

use crate::{clock::Clock, event::Backend, metrics, random, store::StoreError};

/// The first delay.
const FIRST: Duration = Duration::from_millis(50);
/// The longest delay.
const LONGEST: Duration = Duration::from_secs(1);

/// Delays from 50 ms to 1 s, each drawn between a half and the whole of its step, so that instances do not march in step.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    step: Duration,
}

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self { step: FIRST }
    }

    pub(crate) fn next_delay(&mut self) -> Duration {
        let step = self.step;
        self.step = (step * 2).min(LONGEST);
        step / 2 + (step / 2).mul_f64(random::fraction())
    }
}

/// Gives a call to the store its time limit; what comes later may have been written.
pub(crate) async fn limited<T>(
    clock: &dyn Clock,
    limit: Duration,
    operation: &'static str,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let call = async {
        tokio::select! {
            biased;
            answer = call => answer,
            () = clock.sleep(limit) => {
                Err(StoreError::Unknown { operation, source: format!("no answer within {limit:?}").into() })
            }
        }
    };
    metrics::timed(clock, Backend::Store, operation, call).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_second_and_are_never_under_half_their_step() {
        let mut backoff = Backoff::new();
        let mut step = FIRST;
        for _ in 0..10 {
            let delay = backoff.next_delay();
            assert!(delay >= step / 2 && delay <= step, "{delay:?} for a step of {step:?}");
            step = (step * 2).min(LONGEST);
        }
    }
}
