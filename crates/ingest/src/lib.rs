//! OTLP in, columns out.
