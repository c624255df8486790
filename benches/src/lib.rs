//! What the benchmarks measure of their own process, and how they print it.

mod process;
mod table;

pub use process::{Usage, wall_clock};
pub use table::Table;

/// The value at `quantile` (0 to 1) of values in order.
///
/// # Panics
/// When there is no value.
#[must_use]
pub fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index within the slice")]
    let index = ((sorted.len() - 1) as f64 * quantile).round() as usize;
    sorted[index]
}

/// The median of values in any order.
///
/// # Panics
/// When there is no value.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}
