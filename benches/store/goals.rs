//! What is to be reached. The benchmark prints the goals and does not check them: times hold on a machine with nothing
//! else to do, and the counts are held by the test of the load.

/// Missed, doubled, early and abandoned occurrences.
pub(crate) const NONE: &str = "0";

/// Occurrences that ran, of those that were due and met no other.
pub(crate) const ALL: &str = "all";

/// Statements an execution, `BEGIN` and `COMMIT` among them: each instance adds the work of its own looks.
pub(crate) const STATEMENTS: &str = "0.2 with 1 instance, 0.5 with 4";

/// A figure's title with its goal.
pub(crate) fn titled(figure: &str, goal: &str) -> String {
    format!("{figure} (goal: {goal})")
}
