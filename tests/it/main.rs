//! Tests of the whole house with real servers and several processes.

mod round_trips;
