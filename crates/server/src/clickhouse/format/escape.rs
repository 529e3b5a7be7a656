//! Escaping of text: the backslash form of TabSeparated and quoted literals, JSON strings, doubled
//! quotes of CSV. Bytes that need nothing are copied in runs.

/// What follows the backslash in place of a byte; zero = the byte stands for itself.
const fn backslash_table() -> [u8; 256] {
    let mut table = [0; 256];
    table[0] = b'0';
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0A] = b'n';
    table[0x0C] = b'f';
    table[0x0D] = b'r';
    table[b'\'' as usize] = b'\'';
    table[b'\\' as usize] = b'\\';
    table
}

/// Needs the slow path in JSON: 1 = as `\uXXXX`, 2 = the first byte of U+2028 and U+2029, else the
/// letter after the backslash.
const fn json_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = 1;
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0A] = b'n';
    table[0x0C] = b'f';
    table[0x0D] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'/' as usize] = b'/';
    table[0xE2] = 2;
    table
}

static BACKSLASH: [u8; 256] = backslash_table();
static JSON: [u8; 256] = json_table();
const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// `\b \f \r \n \t \0 \' \\`; everything else as it is.
pub(super) fn push_backslashed(bytes: &[u8], out: &mut Vec<u8>) {
    let mut run = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let letter = BACKSLASH[usize::from(byte)];
        if letter != 0 {
            out.extend_from_slice(&bytes[run..at]);
            out.extend_from_slice(&[b'\\', letter]);
            run = at + 1;
        }
    }
    out.extend_from_slice(&bytes[run..]);
}

/// A literal in single quotes.
pub(super) fn push_quoted(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'\'');
    push_backslashed(bytes, out);
    out.push(b'\'');
}

/// The text of a JSON string with its quotes.
pub(super) fn push_json_string(bytes: &[u8], escape_slashes: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut run = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let kind = JSON[usize::from(byte)];
        if kind == 0 || (byte == b'/' && !escape_slashes) {
            continue;
        }
        if kind == 2 {
            let separator = match bytes.get(at + 1..at + 3) {
                Some([0x80, 0xA8]) => b"\\u2028",
                Some([0x80, 0xA9]) => b"\\u2029",
                _ => continue,
            };
            out.extend_from_slice(&bytes[run..at]);
            out.extend_from_slice(separator);
            run = at + 3;
            continue;
        }
        out.extend_from_slice(&bytes[run..at]);
        if kind == 1 {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX_UPPER[high], HEX_UPPER[low]]);
        } else {
            out.extend_from_slice(&[b'\\', kind]);
        }
        run = at + 1;
    }
    out.extend_from_slice(&bytes[run..]);
    out.push(b'"');
}

/// A CSV field in double quotes, quotes inside doubled.
pub(super) fn push_csv_quoted(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut run = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == b'"' {
            out.extend_from_slice(&bytes[run..=at]);
            run = at;
        }
    }
    out.extend_from_slice(&bytes[run..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn backslashes_escape_exactly_eight_bytes() {
        let control = "\0\u{8}\u{c}\r\u{b}\u{1b}\u{1}\u{7f}";
        assert_eq!(
            text(|out| push_backslashed(control.as_bytes(), out)),
            "\\0\\b\\f\\r\u{b}\u{1b}\u{1}\u{7f}"
        );
        assert_eq!(
            text(|out| push_backslashed(b"a\tb\nc\\d'e\"f/g", out)),
            "a\\tb\\nc\\\\d\\'e\"f/g"
        );
    }

    #[test]
    fn json_strings_escape_slashes_controls_and_line_separators() {
        for (input, expected) in [
            ("a\tb\nc\\d'e\"f/g", r#""a\tb\nc\\d'e\"f\/g""#),
            (
                "\0\u{8}\u{c}\r\u{b}\u{1b}\u{1}\u{7f}",
                "\"\\u0000\\b\\f\\r\\u000B\\u001B\\u0001\u{7f}\"",
            ),
            ("\u{2028}x\u{2029}", "\"\\u2028x\\u2029\""),
            ("✓ héllo 🎉", "\"✓ héllo 🎉\""),
            ("", "\"\""),
        ] {
            assert_eq!(
                text(|out| push_json_string(input.as_bytes(), true, out)),
                expected
            );
        }
        assert_eq!(text(|out| push_json_string(b"a/b", false, out)), "\"a/b\"");
    }

    #[test]
    fn csv_doubles_quotes_and_nothing_else() {
        assert_eq!(
            text(|out| push_csv_quoted(b"\"a\tb\nc\\d'e\"f/g\"", out)),
            "\"\"\"a\tb\nc\\d'e\"\"f/g\"\"\""
        );
    }
}
