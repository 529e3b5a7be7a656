//! The ClickHouse HTTP interface: requests in, formatted results or ClickHouse's errors out.

mod format;
