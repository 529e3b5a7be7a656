//! The cairn binary.
