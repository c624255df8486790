//! What is to be reached. The benchmark prints the goals and does not check them: times hold on a machine with nothing
//! else to do, and the counts are held by the test of the load.

/// Missed, doubled, early and abandoned occurrences.
pub(crate) const NONE: &str = "0";

/// Occurrences that ran, of those that were due and met no other.
pub(crate) const ALL: &str = "all";

/// Statements an execution, `BEGIN` and `COMMIT` among them: each instance adds the work of its own looks.
pub(crate) const STATEMENTS: &str = "0.02 with 1 instance, 0.05 with 4, at 1,000 a second";

/// How late bodies start, in milliseconds.
pub(crate) const MEDIAN: &str = "10 of 200; 30 of 1,000 at once";
pub(crate) const LATEST: &str = "20 of 200, 60 of 1,000, 300 of 5,000";

/// Processor time an execution, in microseconds.
pub(crate) const CLIENT: &str = "14";
pub(crate) const SERVER: &str = "160";

/// Executions a second at the most, and rows of a backlog a second.
pub(crate) const MOST: &str = "9,000 and 0.4 floors";
pub(crate) const BACKLOG: &str = "8,000";

/// What a start with 100,000 jobs takes beyond one with the memory store, in seconds.
pub(crate) const START: &str = "0.5 known, 3 new";

/// What it costs to wait with 100,000 jobs.
pub(crate) const IDLE: &str = "twice that of 100 jobs";

/// A figure's title with its goal.
pub(crate) fn titled(figure: &str, goal: &str) -> String {
    format!("{figure} (goal: {goal})")
}
