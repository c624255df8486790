//! The scheduler: jobs, registry, engine, backend traits and memory backends.
