//! Trace and span ids: 16 or 8 bytes that are not all zero, everything else is absent.

/// An id from the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireId<const N: usize> {
    /// A usable id.
    Present([u8; N]),
    /// Empty or all zero, which both mean "none".
    Absent,
    /// A wrong length: kept as absent and counted.
    Invalid,
}

impl<const N: usize> WireId<N> {
    /// Reads the bytes of an id field.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Self {
        match <[u8; N]>::try_from(bytes) {
            Ok(id) if id.iter().any(|byte| *byte != 0) => Self::Present(id),
            Ok(_) => Self::Absent,
            Err(_) if bytes.iter().all(|byte| *byte == 0) => Self::Absent,
            Err(_) => Self::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_empty_ids_are_absent_and_wrong_lengths_invalid() {
        assert_eq!(WireId::<8>::read(&[]), WireId::Absent);
        assert_eq!(WireId::<8>::read(&[0; 8]), WireId::Absent);
        assert_eq!(WireId::<8>::read(&[0; 16]), WireId::Absent);
        assert_eq!(WireId::<8>::read(&[1; 7]), WireId::Invalid);
        assert_eq!(WireId::<8>::read(&[1; 16]), WireId::Invalid);
        assert_eq!(
            WireId::<8>::read(&[0, 0, 0, 0, 0, 0, 0, 1]),
            WireId::Present([0, 0, 0, 0, 0, 0, 0, 1])
        );
    }
}
