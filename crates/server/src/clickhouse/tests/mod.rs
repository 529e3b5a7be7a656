//! The port over real sockets: bytes in, bytes out. The engine is replaced where an answer must
//! break, stall or never end on purpose.

mod activity;
mod canned;
mod client;
mod compression;
mod engine;
mod insert;
mod limits;
mod requests;
mod streams;
