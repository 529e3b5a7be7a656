//! ClickHouse SQL over DataFusion.
