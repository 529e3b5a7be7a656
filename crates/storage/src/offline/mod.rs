//! What people do to a data directory without a server: verify it, look into it, copy it.
//!
//! Reading is safe beside a running server: segments never change, and what vanishes meanwhile is looked up again.

mod check;
mod copy;
mod inspect;

pub use check::{CheckReport, DamagedSegment, check};
pub use copy::{CopyOptions, CopyReport, copy_store};
pub use inspect::{ColumnSize, SegmentSizesReport, inspect};

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::io::Disk;
use crate::manifest::{Manifest, ManifestParts, State};
use crate::names::DataDir;

/// The newest state of a data directory, which must exist.
fn open_manifest(disk: &Arc<dyn Disk>, dirs: &DataDir) -> Result<(Manifest, Arc<State>)> {
    if disk.list(&dirs.manifest_dir()).is_err() {
        return Err(Error::Invalid(format!(
            "`{}` is not a data directory: it has no manifest",
            dirs.root().display()
        )));
    }
    let (manifest, _) = Manifest::open(ManifestParts {
        disk: Arc::clone(disk),
        dirs: dirs.clone(),
    })?;
    let state = manifest.state();
    Ok((manifest, state))
}

fn dirs_of(data_dir: &Path) -> DataDir {
    DataDir::new(data_dir)
}
