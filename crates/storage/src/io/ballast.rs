//! A file whose only purpose is to be given up: when the volume is full to the last byte, its space is what the manifest
//! needs to drop segments.

use std::path::Path;

use super::Disk;
use super::atomic::StagedFile;
use crate::error::Result;
use crate::names::DataDir;

/// Bytes that are written at once.
const PIECE_BYTES: usize = 1 << 16;

/// Writes the ballast, when it is not there.
pub(crate) fn put(disk: &dyn Disk, dirs: &DataDir, bytes: u64) -> Result<()> {
    let mut staged = StagedFile::create(disk, dirs)?;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    while staged.written_bytes() < bytes {
        piece.clear();
        while piece.len() < PIECE_BYTES {
            // Bytes that no file system can store in less space than they take.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            piece.extend_from_slice(&state.to_le_bytes());
        }
        let left = bytes.saturating_sub(staged.written_bytes());
        piece.truncate(usize::try_from(left).unwrap_or(PIECE_BYTES));
        staged.append(&piece)?;
    }
    staged.commit(&dirs.ballast_file())
}

/// Size of the ballast, none when it is not there.
pub(crate) fn size(disk: &dyn Disk, path: &Path) -> Option<u64> {
    disk.open(path).ok().map(|file| file.size_bytes())
}
