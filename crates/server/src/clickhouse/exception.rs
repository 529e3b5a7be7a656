//! ClickHouse's error texts: before the body, and inside a body that has begun.

use cairn_query::{ErrorCode, QueryError};

use super::limits::MAX_EXCEPTION_BYTES;
use crate::error::{ClickHouseError, clickhouse_error};

/// The version that clients are told.
pub(super) const VERSION: &str = "25.8.1.1";

/// An error as a client will see it.
#[derive(Debug, Clone)]
pub(super) struct Exception {
    pub(super) error: ClickHouseError,
    message: String,
    tells_version: bool,
}

impl Exception {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            error: clickhouse_error(code),
            message: message.into(),
            tells_version: true,
        }
    }

    /// An error of somebody who has not shown who he is: the version is not his business.
    pub(super) fn unauthenticated(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            tells_version: false,
            ..Self::new(code, message)
        }
    }

    /// `Code: 62. DB::Exception: Empty query. (SYNTAX_ERROR) (version 25.8.1.1)`, without the
    /// newline.
    pub(super) fn text(&self) -> String {
        let ClickHouseError { number, name, .. } = self.error;
        let message = self.message.trim_end_matches('.');
        let version = if self.tells_version {
            format!(" (version {VERSION})")
        } else {
            String::new()
        };
        format!("Code: {number}. DB::Exception: {message}. ({name}){version}")
    }

    /// The body of an error response.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut text = self.text().into_bytes();
        text.push(b'\n');
        text
    }

    /// The block that ends a body which has begun; `tag` is the one in the response's header.
    pub(super) fn block(&self, tag: &str) -> Vec<u8> {
        let mut message = self.text();
        // Marks, tag twice, line ends and the length take less than 128 bytes.
        let room = MAX_EXCEPTION_BYTES - 128;
        if message.len() > room {
            let cut = message.floor_char_boundary(room);
            message.truncate(cut);
        }
        message.push('\n');
        let length = message.len();
        format!("\r\n__exception__\r\n{tag}\r\n{message}{length} {tag}\r\n__exception__\r\n")
            .into_bytes()
    }
}

impl From<QueryError> for Exception {
    fn from(error: QueryError) -> Self {
        Self::new(error.code, error.message)
    }
}

/// Sixteen random lower-case letters.
pub(super) fn random_tag() -> String {
    (0..16)
        .map(|_| char::from(rand::random_range(b'a'..=b'z')))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_number_message_name_and_version() {
        let exception = Exception::new(ErrorCode::SyntaxError, "Empty query");
        assert_eq!(
            exception.text(),
            "Code: 62. DB::Exception: Empty query. (SYNTAX_ERROR) (version 25.8.1.1)"
        );
        let refused = Exception::unauthenticated(ErrorCode::AuthenticationFailed, "no.");
        assert_eq!(
            refused.text(),
            "Code: 516. DB::Exception: no. (AUTHENTICATION_FAILED)"
        );
    }

    #[test]
    fn the_block_counts_the_bytes_of_its_message() {
        let exception =
            Exception::new(ErrorCode::TimeoutExceeded, "Timeout exceeded: elapsed 1 ms");
        let block = String::from_utf8(exception.block("cjkpuluviyuxmnxd")).unwrap();
        let message = exception.text() + "\n";
        assert_eq!(
            block,
            format!(
                "\r\n__exception__\r\ncjkpuluviyuxmnxd\r\n{message}{} cjkpuluviyuxmnxd\r\n__exception__\r\n",
                message.len()
            )
        );
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let exception = Exception::new(ErrorCode::SyntaxError, "é".repeat(20_000));
        let block = exception.block("cjkpuluviyuxmnxd");
        assert!(block.len() <= MAX_EXCEPTION_BYTES);
        assert!(String::from_utf8(block).is_ok());
    }

    #[test]
    fn tags_are_sixteen_letters_and_differ() {
        let (one, other) = (random_tag(), random_tag());
        assert!(one.len() == 16 && one.bytes().all(|byte| byte.is_ascii_lowercase()));
        assert_ne!(one, other);
    }
}
