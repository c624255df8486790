//! A thousand jobs due each second on PostgreSQL, and a backlog: all of it runs, once, and in few statements.
//!
//! Nothing here depends on how fast the machine is: occurrences may start late, and only counts are held. How fast it goes is
//! measured by `cargo xtask bench store`. A program of its own, whose load disturbs no other test.

mod backlog;
mod bodies;
mod every_second;
mod instances;

use std::time::Duration;

use scheduler_tests::Database;
use tokio::sync::Mutex;

/// Each has the machine for itself.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Waits until a count that only grows has come this far, or has not grown for so long that nothing more will come.
async fn wait_for(database: &Database, count: &str, goal: i64) {
    const LOOK: Duration = Duration::from_millis(250);
    /// Longer than an occurrence may start late.
    const PATIENCE: u32 = 180;
    let (mut last, mut looks) = (-1, 0);
    while last < goal && looks < PATIENCE {
        tokio::time::sleep(LOOK).await;
        let now = database.number(count).await;
        looks = if now > last { 0 } else { looks + 1 };
        last = now;
    }
}
