//! What the engine answers, seen from outside.

mod canonical;
mod clock_changes;
mod corpus;
mod disagreements;
mod errors;
mod grammar;
mod hostile;
mod naive;
mod oracles;
mod size;
mod spelled_out;
mod zones;
