//! The package of the end-to-end tests; see `suite` and `tidy.rs`.
