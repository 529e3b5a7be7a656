//! What every HTTP port shares: accepting connections within limits, stopping gracefully, the
//! sentinel that tells a body when its bytes have left, content encodings. It knows no API.

mod body;
mod connection;
mod encoding;
mod limits;
mod serve;

pub use limits::ServeLimits;
pub use serve::serve;

pub(crate) use body::{ReadError, read_body};
pub(crate) use connection::Connection;
pub(crate) use encoding::{
    BodyEncoder, Coding, DecodeError, DecodeLimits, decode_body, response_coding,
};
