//! What is counted, timed and traced, as it is served and as `docs/telemetry.md` tells it.
//!
//! A program of its own: the recorder is the process's, and counts what any scheduler in it does.

mod files;
mod page;
mod promtool;
mod sample;
mod scene;
mod spans;
mod values;
