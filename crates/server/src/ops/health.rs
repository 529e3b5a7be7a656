//! Where the process is in its life, for the readiness probe.

use std::sync::atomic::{AtomicU8, Ordering};

/// A part of the process's life. It only goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The WAL is being replayed; requests are told to come back.
    Starting,
    /// Every port serves.
    Ready,
    /// Requests in flight are being answered, new ones are not taken.
    Stopping,
}

/// The current phase.
#[derive(Debug, Default)]
pub(crate) struct Health(AtomicU8);

impl Health {
    pub(crate) fn phase(&self) -> Phase {
        match self.0.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Stopping,
        }
    }

    /// Goes forward to `phase`; going back is ignored.
    pub(crate) fn enter(&self, phase: Phase) {
        let number = match phase {
            Phase::Starting => 0,
            Phase::Ready => 1,
            Phase::Stopping => 2,
        };
        self.0.fetch_max(number, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopping_process_never_becomes_ready_again() {
        let health = Health::default();
        assert_eq!(health.phase(), Phase::Starting);
        health.enter(Phase::Ready);
        assert_eq!(health.phase(), Phase::Ready);
        health.enter(Phase::Stopping);
        health.enter(Phase::Ready);
        assert_eq!(health.phase(), Phase::Stopping);
    }
}
