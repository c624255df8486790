//! The HRIS service against a real Workforce server, with faults, and a real database.

mod attendance;
mod database;
mod faults;
mod migrate;
mod process;
mod service;
mod traces;
mod workforce;
