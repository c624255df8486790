//! The one place that draws at random.

use std::hash::{BuildHasher as _, RandomState};

use uuid::Uuid;

/// A new, random UUID.
pub(crate) fn uuid() -> Uuid {
    #[cfg(any(test, feature = "testing"))]
    if let Some((high, low)) = seeded::draw().zip(seeded::draw()) {
        return uuid::Builder::from_random_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes()).into_uuid();
    }
    Uuid::new_v4()
}

/// A number from 0 to 1, without 1.
pub(crate) fn fraction() -> f64 {
    /// As many steps as a `f64` tells apart, with some to spare.
    const STEPS: u32 = 1 << 30;
    let step = u32::try_from(number() % u64::from(STEPS)).expect("below the number of steps");
    f64::from(step) / f64::from(STEPS)
}

fn number() -> u64 {
    #[cfg(any(test, feature = "testing"))]
    if let Some(draw) = seeded::draw() {
        return draw;
    }
    // Each `RandomState` has keys of its own: a draw without a generator to carry along.
    RandomState::new().hash_one(())
}

/// Draws from a seed, for a simulation.
#[cfg(any(test, feature = "testing"))]
pub(crate) mod seeded {
    use std::cell::Cell;

    thread_local! {
        /// A simulation has one thread, and whatever draws on it draws from the seed. A source handed around instead
        /// would miss the next `random()` that somebody writes, and break the replay of seeds without a word.
        static SOURCE: Cell<Option<SplitMix>> = const { Cell::new(None) };
    }

    /// Makes this thread draw from a seed, until the guard is dropped.
    #[must_use]
    pub(crate) fn seed(seed: u64) -> Guard {
        Guard { before: SOURCE.replace(Some(SplitMix(seed))) }
    }

    /// Puts the thread's source back.
    #[derive(Debug)]
    pub(crate) struct Guard {
        before: Option<SplitMix>,
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            SOURCE.set(self.before);
        }
    }

    /// The next number, if this thread draws from a seed.
    pub(super) fn draw() -> Option<u64> {
        let mut source = SOURCE.get()?;
        let draw = source.next();
        SOURCE.set(Some(source));
        Some(draw)
    }

    /// Steele, Lea and Flood's SplitMix64: eight lines, and good enough to choose faults.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct SplitMix(pub(crate) u64);

    impl SplitMix {
        pub(crate) fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_again_and_ends_with_its_guard() {
        let draws = || (uuid(), uuid(), fraction());
        let guard = seeded::seed(7);
        let first = draws();
        drop(guard);
        let other = draws();
        let _guard = seeded::seed(7);
        assert_eq!(draws(), first);
        assert_ne!(other, first);
        assert_ne!(first.0, first.1);
        assert_eq!(first.0.get_version_num(), 4);
    }

    #[test]
    fn a_fraction_is_below_one() {
        let _guard = seeded::seed(1);
        let draws: Vec<f64> = (0..1_000).map(|_| fraction()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        assert!(draws.iter().any(|draw| *draw < 0.1) && draws.iter().any(|draw| *draw > 0.9));
    }
}
