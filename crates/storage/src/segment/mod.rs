//! Immutable segments: what is known of them, how they are written, how their bytes are read back.
//!
//! One segment is one Parquet file of one table inside one UTC day. Which rows of it a query needs is not known here.

mod checksum;
mod columns;
mod file;
mod footer;
mod gather;
mod inherit;
mod labels;
mod layout;
mod live;
mod maps;
mod meta;
mod promote;
mod rebuild;
mod sets;
mod shape;
mod sort;
mod statistics;
mod stream;
mod writer;

pub use live::{LiveSegment, SegmentAccess};
pub use meta::{ColumnStats, RowGroupMeta, SegmentMeta};

pub(crate) use footer::{Footer, RowsRead, RowsWanted};
pub(crate) use inherit::start_merged;
pub(crate) use layout::{Effort, PAGE_ROWS, SegmentSizes};
pub(crate) use promote::PromoteLimits;
pub(crate) use rebuild::rebuild;
pub(crate) use shape::{ReadForm, Shape};
pub(crate) use sort::{RowKey, RowKeys};
pub(crate) use stream::RowStream;
pub(crate) use writer::{FlushSource, NewSegment, discard, write_sorted};
