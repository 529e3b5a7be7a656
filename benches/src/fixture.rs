//! A real store with made-up rows in it, for the benches of storage.

use std::path::Path;
use std::sync::Arc;

use cairn_ingest::{Decoder, DecoderConfig};
use cairn_storage::{
    Nanos, Parts, PayloadCompression, PayloadEncoding, RawRecord, RecordDecoder, Result, Signal,
    StorageConfig, Store, TableBatch,
};

use crate::config::GeneratorConfig;
use crate::landscape::Landscape;
use crate::logs::LogGenerator;
use crate::points::PointGenerator;
use crate::spans::SpanGenerator;

/// Makes requests and the rows they stand for.
#[derive(Debug)]
pub struct Load {
    decoder: Decoder,
    logs: LogGenerator,
    spans: SpanGenerator,
    points: PointGenerator,
}

/// Opens a store in `folder` that flushes only when told.
///
/// # Errors
/// Those of the store.
pub fn open_store(folder: &Path) -> Result<Arc<Store>> {
    open_store_with(folder, StorageConfig::default().max_key_columns)
}

/// The same with a bound on the keys that get columns of their own; 0 keeps attributes in maps.
///
/// # Errors
/// Those of the store.
pub fn open_store_with(folder: &Path, max_key_columns: usize) -> Result<Arc<Store>> {
    let config = StorageConfig {
        max_key_columns,
        data_dir: folder.to_path_buf(),
        memtable_bytes: 1 << 30,
        memtable_age_ns: i64::MAX,
        max_memtable_total_bytes: 2 << 30,
        ..StorageConfig::default()
    };
    Store::open(config, Parts::real(Arc::new(Decoder::default())))
}

/// A request as the server would hand it to the WAL.
#[must_use]
pub fn record_of(signal: Signal, payload: Vec<u8>) -> RawRecord {
    RawRecord {
        signal,
        encoding: PayloadEncoding::Protobuf,
        compression: PayloadCompression::None,
        options: Decoder::new(DecoderConfig::default()).options(),
        received_at: Nanos(1),
        payload: payload.into(),
    }
}

impl Load {
    /// The load of `config`.
    #[must_use]
    pub fn new(config: &GeneratorConfig) -> Self {
        let landscape = Arc::new(Landscape::new(config));
        Self {
            decoder: Decoder::default(),
            logs: LogGenerator::new(config.clone(), Arc::clone(&landscape)),
            spans: SpanGenerator::new(config.clone(), Arc::clone(&landscape)),
            points: PointGenerator::new(config.clone(), landscape),
        }
    }

    /// Request `number` and its rows.
    ///
    /// # Errors
    /// Those of the decoder, which made-up requests do not meet.
    pub fn request(&mut self, signal: Signal, number: u64) -> Result<(RawRecord, Vec<TableBatch>)> {
        let mut payload = Vec::new();
        match signal {
            Signal::Logs => self.logs.write_batch(number, &mut payload),
            Signal::Traces => self.spans.write_batch(number, &mut payload),
            Signal::Metrics => self.points.write_batch(number, &mut payload),
        }
        let record = record_of(signal, payload);
        let batches = self.decoder.decode(&record)?;
        Ok((record, batches))
    }
}
