//! The store on a real server.

mod conformance;
mod connecting;
mod damage;
mod identity;
mod lost_reply;
mod migration;
mod migration_check;
mod migration_script;
mod operator;
mod round_trips;
mod server;
mod service_role;
