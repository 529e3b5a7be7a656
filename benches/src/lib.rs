//! The package of the benchmarks: `loadgen` and the criterion benches. Holds no code of its own yet.
