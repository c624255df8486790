//! Tests of the whole house with real servers and several processes.
