//! The project's own commands: tests, services, checks.
fn main() {}
