//! What the generated telemetry should be like. Plain values; knows nothing about sending.

/// Shape and amount of the telemetry.
#[derive(Debug, Clone)]
pub struct GeneratorConfig {
    /// Everything random follows from this number.
    pub seed: u64,
    /// Records in one request.
    pub batch_rows: u64,
    /// How many services there are; each runs three instances.
    pub services: u64,
    /// How many different users, orders and sessions appear in attributes and bodies.
    pub cardinality: u64,
    /// Whether each record carries `load.batch` and `load.index`, so that a test can tell which
    /// acknowledged records came back.
    pub marked: bool,
    /// When things happen.
    pub timeline: Timeline,
}

impl Default for GeneratorConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            batch_rows: 1000,
            services: 12,
            cardinality: 10_000,
            marked: false,
            timeline: Timeline::default(),
        }
    }
}

/// Maps the position of a record in the whole run to a time.
#[derive(Debug, Clone, Copy)]
pub struct Timeline {
    /// Time of the first record, nanoseconds since 1970.
    pub start_ns: u64,
    /// Time between two neighbouring records.
    pub step_ns: u64,
}

impl Default for Timeline {
    fn default() -> Self {
        // 2023-11-14, a thousand records a second.
        Self {
            start_ns: 1_700_000_000_000_000_000,
            step_ns: 1_000_000,
        }
    }
}

impl Timeline {
    /// When record `index` of the run happens.
    #[must_use]
    pub fn at(&self, index: u64) -> u64 {
        self.start_ns.wrapping_add(index.wrapping_mul(self.step_ns))
    }
}
