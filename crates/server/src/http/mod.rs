//! What every HTTP port shares: accepting connections within limits, stopping gracefully, the
//! sentinel that tells a body when its bytes have left, content encodings. It knows no API.

mod body;
mod connection;
mod encoding;
mod limits;
mod serve;
mod socket;
mod tls;

pub use limits::ServeLimits;
pub use serve::serve;
pub use tls::{TlsError, TlsFiles};

pub(crate) use body::{ReadError, read_body};
pub(crate) use connection::Connection;
pub(crate) use encoding::{
    BodyEncoder, Coding, DecodeError, DecodeLimits, decode_body, response_coding,
};
pub(crate) use serve::serve_with;
pub(crate) use tls::Tls;
