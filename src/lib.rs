//! Runs annotated async functions on time, once per occurrence, on one instance of a service.
