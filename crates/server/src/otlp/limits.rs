//! Bounds of the OTLP receivers, each with its reason.

use std::time::Duration;

/// Time without a single byte after which a request body is given up.
pub(super) const BODY_IDLE: Duration = Duration::from_secs(30);

/// Larger payloads are decoded where they may block: a few hundred records take longer than a task may.
pub(super) const INLINE_DECODE_BYTES: usize = 16 << 10;

/// A body that does not say how long it is gets memory in steps of this size.
pub(super) const ADMIT_STEP_BYTES: u64 = 1 << 20;

/// Time the store gets beyond its own deadline before we answer without it.
pub(super) const ACK_GRACE: Duration = Duration::from_secs(2);

/// Longest message in an answer: a gRPC message travels in a header.
pub(super) const MAX_MESSAGE_CHARS: usize = 1_024;

/// Shortest pause a client is asked for.
pub(super) const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);

/// Pause while the disk is full or failed: nothing changes within a second.
pub(super) const RETRY_AFTER_DISK: Duration = Duration::from_secs(10);
