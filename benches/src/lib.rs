//! Benchmarks beside the peers, printing ratios.
