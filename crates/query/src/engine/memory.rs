//! The memory of one query: every grant comes out of the engine's pool, is counted, and stops at the query's own bound.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};

/// A pool in front of the engine's pool.
#[derive(Debug)]
pub(super) struct QueryMemory {
    pool: Arc<dyn MemoryPool>,
    /// 0 = none.
    limit_bytes: usize,
    used: AtomicUsize,
}

impl QueryMemory {
    pub(super) fn new(pool: Arc<dyn MemoryPool>, limit_bytes: usize) -> Self {
        Self {
            pool,
            limit_bytes,
            used: AtomicUsize::new(0),
        }
    }

    /// Bytes that the query's operators hold.
    pub(super) fn used_bytes(&self) -> u64 {
        u64::try_from(self.used.load(Ordering::Relaxed)).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for QueryMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query({})", self.limit_bytes)
    }
}

impl MemoryPool for QueryMemory {
    fn name(&self) -> &'static str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.pool.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.pool.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.used.fetch_add(additional, Ordering::Relaxed);
        self.pool.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.used.fetch_sub(shrink, Ordering::Relaxed);
        self.pool.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let before = self.used.fetch_add(additional, Ordering::Relaxed);
        let wanted = before.saturating_add(additional);
        let granted = if self.limit_bytes > 0 && wanted > self.limit_bytes {
            Err(DataFusionError::ResourcesExhausted(format!(
                "the query would use {wanted} bytes, maximum: {}",
                self.limit_bytes
            )))
        } else {
            self.pool.try_grow(reservation, additional)
        };
        if granted.is_err() {
            self.used.fetch_sub(additional, Ordering::Relaxed);
        }
        granted
    }

    fn reserved(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.pool.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    #[test]
    fn a_query_stops_at_its_own_bound_and_gives_everything_back() {
        let shared: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1000));
        let memory = Arc::new(QueryMemory::new(Arc::clone(&shared), 300));
        let pool: Arc<dyn MemoryPool> = Arc::<QueryMemory>::clone(&memory);
        let reservation = MemoryConsumer::new("sort").register(&pool);
        reservation.try_grow(200).unwrap();
        assert!(reservation.try_grow(200).is_err());
        assert_eq!((memory.used_bytes(), shared.reserved()), (200, 200));
        drop(reservation);
        assert_eq!((memory.used_bytes(), shared.reserved()), (0, 0));
    }

    #[test]
    fn without_a_bound_the_pool_decides() {
        let shared: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1000));
        let memory = Arc::new(QueryMemory::new(shared, 0));
        let pool: Arc<dyn MemoryPool> = Arc::<QueryMemory>::clone(&memory);
        let reservation = MemoryConsumer::new("sort").register(&pool);
        reservation.try_grow(1000).unwrap();
        assert!(reservation.try_grow(1).is_err());
        assert_eq!(memory.used_bytes(), 1000);
    }
}
