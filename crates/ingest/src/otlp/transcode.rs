//! OTLP/JSON rewritten as OTLP/protobuf, driven by the tables of [`super::messages`].
//!
//! Follows the proto3 JSON mapping with OTLP's own rules: hex ids, 64-bit integers as string or
//! number, enums as name or number, camel or snake case, `null` means "not set", unknown fields are
//! ignored.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::json::{JsonReader, RawText, Token};
use super::messages::{FieldDef, FieldKind, MessageDef};
use super::writer::ProtoWriter;
use crate::error::{IngestError, Result};

/// Standard alphabet, padding optional: what proto3 asks readers to accept once `-_` are turned
/// into `+/`.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The protobuf encoding of the JSON text `json`, which is a `message`.
pub(crate) fn to_protobuf(
    json: &[u8],
    message: &'static MessageDef,
    limit_bytes: usize,
) -> Result<Vec<u8>> {
    let mut transcoder = Transcoder {
        reader: JsonReader::new(json),
        writer: ProtoWriter::new(limit_bytes),
        scratch: Vec::new(),
        limit_bytes,
    };
    if json.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    match transcoder.reader.value()? {
        Token::Object => transcoder.message(message)?,
        Token::Null => {}
        Token::Bool(_) | Token::Number(_) | Token::Text(_) | Token::Array => {
            return Err(transcoder.wrong(message.name, "an object"));
        }
    }
    transcoder.reader.finish()?;
    Ok(transcoder.writer.into_bytes())
}

struct Transcoder<'a> {
    reader: JsonReader<'a>,
    writer: ProtoWriter,
    scratch: Vec<u8>,
    limit_bytes: usize,
}

impl<'a> Transcoder<'a> {
    /// The fields of an object that is open.
    fn message(&mut self, message: &'static MessageDef) -> Result<()> {
        let mut first = true;
        while let Some(key) = self.reader.next_key(&mut first)? {
            let field = match key.plain() {
                Some(name) => message.field(name),
                None => {
                    self.resolve(key)?;
                    message.field(&self.scratch)
                }
            };
            let token = self.reader.value()?;
            match (field, token) {
                (_, Token::Null) => {}
                (None, token) => self.reader.skip(token)?,
                (Some(field), token) => self.field(field, token)?,
            }
            self.check_size()?;
        }
        Ok(())
    }

    fn check_size(&self) -> Result<()> {
        if self.writer.is_over() {
            return Err(IngestError::TooLarge {
                what: "bytes of one request",
                limit: u64::try_from(self.limit_bytes).unwrap_or(u64::MAX),
            });
        }
        Ok(())
    }

    fn field(&mut self, field: &'static FieldDef, token: Token<'a>) -> Result<()> {
        let number = field.number;
        match (field.kind, token) {
            (FieldKind::Message(message), Token::Object) => self.nested(number, message),
            (FieldKind::Repeated(message), Token::Array) => self.list(field, message),
            (FieldKind::Numbers(item), Token::Array) => self.numbers(item),
            (FieldKind::Text, Token::Text(text)) => self.text(number, text),
            (FieldKind::Base64 | FieldKind::Hex, Token::Text(text)) => {
                self.resolve(text)?;
                let bytes = if matches!(field.kind, FieldKind::Hex) {
                    hex(&self.scratch)
                } else {
                    base64(&mut self.scratch)
                };
                match bytes {
                    Some(bytes) => self.writer.bytes_field(number, &bytes),
                    None => return Err(self.wrong(field.name, "hex digits or base64")),
                }
                Ok(())
            }
            (FieldKind::Bool, Token::Bool(truth)) => {
                self.writer.varint_field(number, u64::from(truth));
                Ok(())
            }
            (
                FieldKind::Int64
                | FieldKind::Double
                | FieldKind::Fixed64
                | FieldKind::SignedFixed64
                | FieldKind::Fixed32
                | FieldKind::Unsigned
                | FieldKind::Zigzag
                | FieldKind::Enum(_),
                Token::Number(_) | Token::Text(_),
            ) => self.number(field, token),
            _ => Err(self.wrong(field.name, "another type")),
        }
    }

    fn nested(&mut self, number: u32, message: &'static MessageDef) -> Result<()> {
        self.writer.open(number);
        self.message(message)?;
        self.writer.close();
        Ok(())
    }

    fn list(&mut self, field: &'static FieldDef, message: &'static MessageDef) -> Result<()> {
        let mut first = true;
        while self.reader.next_item(&mut first)? {
            match self.reader.value()? {
                Token::Object => self.nested(field.number, message)?,
                // `null` in a list of values is a value that is not set.
                Token::Null => self.writer.bytes_field(field.number, &[]),
                Token::Bool(_) | Token::Number(_) | Token::Text(_) | Token::Array => {
                    return Err(self.wrong(field.name, "a list of objects"));
                }
            }
        }
        Ok(())
    }

    /// Lists of numbers are written one field each, which protobuf readers take for the packed form.
    fn numbers(&mut self, item: &'static FieldDef) -> Result<()> {
        let mut first = true;
        while self.reader.next_item(&mut first)? {
            let token = self.reader.value()?;
            match token {
                Token::Number(_) | Token::Text(_) => self.number(item, token)?,
                Token::Null | Token::Bool(_) | Token::Object | Token::Array => {
                    return Err(self.wrong(item.name, "a list of numbers"));
                }
            }
            self.check_size()?;
        }
        Ok(())
    }

    fn text(&mut self, number: u32, text: RawText<'a>) -> Result<()> {
        match text.plain() {
            Some(bytes) => self.writer.bytes_field(number, bytes),
            None => {
                self.resolve(text)?;
                self.writer.bytes_field(number, &self.scratch);
            }
        }
        Ok(())
    }

    fn number(&mut self, field: &'static FieldDef, token: Token<'a>) -> Result<()> {
        let quoted = matches!(token, Token::Text(_));
        self.scratch.clear();
        match token {
            Token::Text(text) => self.resolve(text)?,
            Token::Number(digits) => self.scratch.extend_from_slice(digits.as_bytes()),
            Token::Null | Token::Bool(_) | Token::Object | Token::Array => {}
        }
        let text = std::str::from_utf8(&self.scratch).unwrap_or_default();
        let written = match field.kind {
            FieldKind::Int64 => integer(text)
                .and_then(|value| i64::try_from(value).ok())
                .map(|value| {
                    self.writer
                        .varint_field(field.number, value.cast_unsigned());
                }),
            FieldKind::Fixed64 => integer(text)
                .and_then(|value| u64::try_from(value).ok())
                .map(|value| self.writer.fixed64_field(field.number, value)),
            FieldKind::SignedFixed64 => integer(text)
                .and_then(|value| i64::try_from(value).ok())
                .map(|value| {
                    self.writer
                        .fixed64_field(field.number, value.cast_unsigned());
                }),
            FieldKind::Unsigned => integer(text)
                .and_then(|value| u64::try_from(value).ok())
                .map(|value| self.writer.varint_field(field.number, value)),
            FieldKind::Zigzag => integer(text)
                .and_then(|value| i32::try_from(value).ok())
                .map(|value| {
                    let bits = (value << 1) ^ (value >> 31);
                    self.writer
                        .varint_field(field.number, u64::from(bits.cast_unsigned()));
                }),
            FieldKind::Fixed32 => integer(text)
                .and_then(|value| u32::try_from(value).ok())
                .map(|value| self.writer.fixed32_field(field.number, value)),
            FieldKind::Double => double(text, quoted)
                .map(|value| self.writer.fixed64_field(field.number, value.to_bits())),
            FieldKind::Enum(names) => {
                let value = if quoted {
                    names
                        .iter()
                        .find(|(name, _)| *name == text)
                        .map(|(_, value)| *value)
                } else {
                    // A negative enum is sign-extended to 64 bits, as protobuf does.
                    integer(text)
                        .and_then(|value| i32::try_from(value).ok())
                        .map(|value| i64::from(value).cast_unsigned())
                };
                value.map(|value| self.writer.varint_field(field.number, value))
            }
            FieldKind::Text
            | FieldKind::Base64
            | FieldKind::Hex
            | FieldKind::Bool
            | FieldKind::Message(_)
            | FieldKind::Numbers(_)
            | FieldKind::Repeated(_) => None,
        };
        written.ok_or_else(|| self.wrong(field.name, "a number or name in range"))
    }

    /// Leaves `text` without its escapes in the scratch buffer.
    fn resolve(&mut self, text: RawText<'a>) -> Result<()> {
        self.scratch.clear();
        text.append_to(&mut self.scratch)
            .map_err(|what| self.reader.fault(what).into())
    }

    #[cold]
    fn wrong(&self, name: &str, expected: &str) -> IngestError {
        let place = self.reader.offset();
        IngestError::Malformed(format!("JSON at byte {place}: `{name}` must be {expected}"))
    }
}

/// An integer, also when written as `1e3` or `1.0`.
fn integer(text: &str) -> Option<i128> {
    if let Ok(value) = text.parse::<i128>() {
        return Some(value);
    }
    let value = text.parse::<f64>().ok()?;
    if !value.is_finite() || value.fract() != 0.0 || value.abs() >= 1e20 {
        return None;
    }
    // Printing a whole float gives all its digits: a conversion without a lossy cast.
    format!("{value}").parse().ok()
}

fn double(text: &str, quoted: bool) -> Option<f64> {
    match text {
        "NaN" if quoted => Some(f64::NAN),
        "Infinity" if quoted => Some(f64::INFINITY),
        "-Infinity" if quoted => Some(f64::NEG_INFINITY),
        _ => text.parse::<f64>().ok().filter(|value| value.is_finite()),
    }
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    let (pairs, odd) = digits.as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?))
        .collect()
}

fn base64(text: &mut [u8]) -> Option<Vec<u8>> {
    for byte in text.iter_mut() {
        match byte {
            b'-' => *byte = b'+',
            b'_' => *byte = b'/',
            _ => {}
        }
    }
    BASE64.decode(&*text).ok()
}

#[cfg(test)]
mod tests {
    use super::super::messages::{LOGS_REQUEST, TRACES_REQUEST};
    use super::*;

    fn record(fields: &str) -> Result<Vec<u8>> {
        let json =
            format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{fields}}}]}}]}}]}}"#);
        to_protobuf(json.as_bytes(), &LOGS_REQUEST, usize::MAX)
    }

    fn check_same(one: &str, other: &str) {
        let bytes = record(one).unwrap();
        assert_eq!(bytes, record(other).unwrap(), "{one} / {other}");
        assert_ne!(bytes, record("").unwrap(), "{one}");
    }

    fn check_refused(fields: &str, part: &str) {
        let error = record(fields).unwrap_err().to_string();
        assert!(error.contains(part), "{fields}: {error}");
    }

    #[test]
    fn numbers_may_be_strings_and_enums_names() {
        check_same(
            r#""timeUnixNano":"1700000000000000001""#,
            r#""time_unix_nano":1700000000000000001"#,
        );
        check_same(r#""timeUnixNano":1.5e3"#, r#""timeUnixNano":1500"#);
        check_same(
            r#""severityNumber":"SEVERITY_NUMBER_WARN""#,
            r#""severityNumber":13"#,
        );
        check_same(r#""flags":"1""#, r#""flags":1"#);
        check_same(
            r#""body":{"intValue":"-9223372036854775808"}"#,
            r#""body":{"int_value":-9223372036854775808}"#,
        );
        check_same(
            r#""body":{"doubleValue":"0.30000000000000004"}"#,
            r#""body":{"doubleValue":0.30000000000000004}"#,
        );
        check_same(
            r#""body":{"bytesValue":"-_8="}"#,
            r#""body":{"bytesValue":"+/8"}"#,
        );
        check_same(
            r#""traceId":"0AF7651916CD43DD8448EB211C80319C""#,
            r#""trace_id":"0af7651916cd43dd8448eb211c80319c""#,
        );
        check_same(
            r#""body":{"stringValue":"\u0061"}"#,
            r#""b\u006fdy":{"stringValue":"a"}"#,
        );
    }

    #[test]
    fn null_and_unknown_fields_are_as_if_absent() {
        let empty = record("").unwrap();
        for fields in [
            r#""body":null"#,
            r#""timeUnixNano":null"#,
            r#""attributes":null"#,
            r#""traceId":null"#,
            r#""severityText":null"#,
            r#""unknown":{"a":[1,{"b":null}]}"#,
            r#""droppedAttributesCount":3"#,
        ] {
            assert_eq!(record(fields).unwrap(), empty, "{fields}");
        }
        for text in [
            "",
            " \n",
            "{}",
            "null",
            r#"{"resourceLogs":[]}"#,
            r#"{"resourceLogs":null}"#,
        ] {
            assert_eq!(
                to_protobuf(text.as_bytes(), &LOGS_REQUEST, 100),
                Ok(Vec::new()),
                "{text}"
            );
        }
    }

    #[test]
    fn wrong_types_and_values_are_refused_by_name() {
        check_refused(r#""timeUnixNano":"-1""#, "`timeUnixNano` must be");
        check_refused(r#""timeUnixNano":1.5"#, "`timeUnixNano`");
        check_refused(r#""timeUnixNano":"18446744073709551616""#, "`timeUnixNano`");
        check_refused(r#""timeUnixNano":true"#, "`timeUnixNano`");
        check_refused(r#""severityNumber":"INFO""#, "`severityNumber`");
        check_refused(r#""body":"text""#, "`body`");
        check_refused(r#""body":{"stringValue":1}"#, "`stringValue`");
        check_refused(r#""body":{"boolValue":"true"}"#, "`boolValue`");
        check_refused(r#""body":{"bytesValue":"*"}"#, "`bytesValue`");
        check_refused(r#""body":{"doubleValue":"inf"}"#, "`doubleValue`");
        check_refused(r#""traceId":"xyz""#, "`traceId`");
        check_refused(r#""attributes":{}"#, "`attributes`");
        check_refused(r#""attributes":[1]"#, "`attributes`");
        let error = to_protobuf(b"[]", &TRACES_REQUEST, 100).unwrap_err();
        assert_eq!(
            error.to_string(),
            "malformed request: JSON at byte 1: `ExportTraceServiceRequest` must be an object"
        );
        assert!(to_protobuf(b"{} {}", &TRACES_REQUEST, 100).is_err());
    }

    #[test]
    fn the_output_is_bounded() {
        let json = format!(
            r#"{{"resourceLogs":[{}{{}}]}}"#,
            r#"{"schemaUrl":"0123456789"},"#.repeat(100)
        );
        assert!(to_protobuf(json.as_bytes(), &LOGS_REQUEST, 10_000).is_ok());
        assert_eq!(
            to_protobuf(json.as_bytes(), &LOGS_REQUEST, 500),
            Err(IngestError::TooLarge {
                what: "bytes of one request",
                limit: 500
            })
        );
    }
}
