//! The one place where DataFusion is configured. SQL text never reaches it, and it knows no files, no catalogs and no
//! functions by name: plans carry everything they need.

use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;

use crate::answer::EngineConfig;
use crate::error::{ErrorCode, QueryError, Result};
use crate::optimize::{KeysOfScan, TopOfScan};

/// Rows of a batch: what storage returns and what operators pass on.
const BATCH_ROWS: usize = 8_192;
/// Memory a sort keeps back for merging its spilled runs; small, because many sorts may run in a small pool.
const SORT_SPILL_RESERVATION_BYTES: usize = 2 * 1024 * 1024;
/// Read-ahead of a pushed-down sort; DataFusion's own default is a gigabyte per partition.
const SORT_READ_AHEAD_BYTES: usize = 16 * 1024 * 1024;

/// A session and the pool its operators take memory from.
pub(crate) fn build_session(config: &EngineConfig) -> Result<(SessionState, Arc<dyn MemoryPool>)> {
    std::fs::create_dir_all(&config.spill_dir).map_err(|error| {
        QueryError::new(
            ErrorCode::NotEnoughSpace,
            format!(
                "cannot create the spill directory `{}`: {error}",
                config.spill_dir.display()
            ),
        )
    })?;
    // A pool of N bytes was seen to cost 2 N of resident memory: grant half.
    let pool: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(config.memory_bytes / 2));
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![config.spill_dir.clone()]))
        .with_max_temp_directory_size(config.spill_bytes);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::clone(&pool))
        .with_disk_manager_builder(disk)
        .build_arc()?;
    let mut rules = PhysicalOptimizer::new().rules;
    rules.push(Arc::new(TopOfScan));
    rules.push(Arc::new(KeysOfScan));
    let state = SessionStateBuilder::new()
        .with_config(session_config(config))
        .with_runtime_env(runtime)
        .with_analyzer_rules(Vec::new())
        .with_physical_optimizer_rules(rules)
        .build();
    Ok((state, pool))
}

fn session_config(config: &EngineConfig) -> SessionConfig {
    let mut session = SessionConfig::new()
        .with_batch_size(BATCH_ROWS)
        .with_target_partitions(config.threads.max(1))
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_collect_statistics(false)
        .with_sort_spill_reservation_bytes(SORT_SPILL_RESERVATION_BYTES);
    let options = session.options_mut();
    options.execution.sort_pushdown_buffer_capacity = SORT_READ_AHEAD_BYTES;
    // Filters derived from joins are mapped by column name in this release: wrong when both sides share names.
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    // Scans bring their own partitions. Dealing out rows above a sort, for a projection, loses their order: nothing
    // above asks for it any more when the partitions are joined again.
    options.optimizer.enable_round_robin_repartition = false;
    session
}
