//! Tests of the whole house with real servers and several processes.

mod bad_input;
mod cluster;
mod crowd;
mod guard;
mod ledger;
mod locked_table;
mod pooler;
mod reliability;
mod round_trips;
mod run_once;
mod start_errors;
mod team;
