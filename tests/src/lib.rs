//! The package of the end-to-end tests: `tidy` checks the rules of the code base, `suite` drives the
//! built binary. Holds no code of its own.
