//! The lock backend in this process's memory.
