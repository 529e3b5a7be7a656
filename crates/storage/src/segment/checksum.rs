//! Checksums of fixed blocks of a file: made while it is written, compared when a block is first read.

use super::meta::CHECKSUM_BLOCK_BYTES;

/// CRC32C of each block of a stream of bytes.
#[derive(Debug, Default)]
pub(super) struct BlockChecksums {
    finished: Vec<u32>,
    current: u32,
    current_bytes: usize,
}

impl BlockChecksums {
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = block_bytes().saturating_sub(self.current_bytes);
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.current = crc32c::crc32c_append(self.current, now);
            self.current_bytes += now.len();
            bytes = rest;
            if self.current_bytes == block_bytes() {
                self.end_block();
            }
        }
    }

    pub(super) fn finish(mut self) -> Vec<u32> {
        if self.current_bytes > 0 {
            self.end_block();
        }
        self.finished
    }

    fn end_block(&mut self) {
        self.finished.push(self.current);
        self.current = 0;
        self.current_bytes = 0;
    }
}

/// [`CHECKSUM_BLOCK_BYTES`] as a length.
pub(super) fn block_bytes() -> usize {
    usize::try_from(CHECKSUM_BLOCK_BYTES).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_do_not_depend_on_how_the_bytes_arrive() {
        let bytes: Vec<u8> = (0..700_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        let mut whole = BlockChecksums::default();
        whole.update(&bytes);
        let mut pieces = BlockChecksums::default();
        for piece in bytes.chunks(99_991) {
            pieces.update(piece);
        }
        let expected: Vec<u32> = bytes.chunks(block_bytes()).map(crc32c::crc32c).collect();
        assert_eq!(whole.finish(), expected);
        assert_eq!(pieces.finish(), expected);
        assert_eq!(BlockChecksums::default().finish(), Vec::<u32>::new());
    }
}
