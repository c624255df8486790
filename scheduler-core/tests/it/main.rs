//! The engine on memory backends and a manual clock.

mod away;
mod backends_away;
mod bad_input;
mod catch_up;
mod dependants;
mod every_instance;
mod granted;
mod jitter;
mod manual;
mod not_shared;
mod operators;
mod outcomes;
mod own_thread;
mod pauses;
mod revisions;
mod rig;
mod several;
mod shutdown;
mod traces;
mod watch;
