//! The reference service: an HRIS with its attendance job.
