//! The engine on memory backends and a manual clock.

mod away;
mod backends_away;
mod bad_input;
mod catch_up;
mod clock;
mod dependants;
mod every_instance;
mod granted;
mod jitter;
#[cfg(feature = "logs")]
mod logs;
mod manual;
mod not_shared;
mod operators;
mod outcomes;
mod own_thread;
mod pauses;
mod progress;
mod revisions;
mod rig;
mod several;
mod shutdown;
mod traces;
mod watch;
