//! `multipart/form-data` bodies: names, file names and contents of the parts. Whole bodies only;
//! they are bounded before they come here.

use super::limits::MAX_FORM_PARTS;

/// One part of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) name: String,
    pub(super) content: &'a [u8],
}

/// The boundary of a `multipart/form-data` content type; none for other types.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (essence, parameters) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty()).then_some(value)
    })
}

/// The parts of a body. The error says what is wrong.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, &'static str> {
    let first = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let mut rest = match find(body, first.as_bytes()) {
        // What stands before the first boundary is a preamble.
        Some(at) if at == 0 || body[..at].ends_with(b"\r\n") => &body[at + first.len()..],
        _ => return Err("the form does not begin with its boundary"),
    };
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        let Some(begin) = find(rest, b"\r\n") else {
            return Err("the form ends inside a boundary");
        };
        rest = &rest[begin + 2..];
        let (head, content) = match find(rest, b"\r\n\r\n") {
            _ if rest.starts_with(b"\r\n") => (&rest[..0], &rest[2..]),
            Some(at) => (&rest[..at], &rest[at + 4..]),
            None => return Err("a part of the form has no end of its headers"),
        };
        let Some(end) = find(content, next.as_bytes()) else {
            return Err("the form ends without its last boundary");
        };
        if parts.len() == MAX_FORM_PARTS {
            return Err("the form has too many parts");
        }
        parts.push(Part {
            name: part_name(head),
            content: &content[..end],
        });
        rest = &content[end + next.len()..];
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// The `name` of a part's Content-Disposition; empty when it has none.
fn part_name(head: &[u8]) -> String {
    let head = String::from_utf8_lossy(head);
    for line in head.split("\r\n") {
        let Some((header, value)) = line.split_once(':') else {
            continue;
        };
        if !header.trim().eq_ignore_ascii_case("content-disposition") {
            continue;
        }
        for parameter in value.split(';').skip(1) {
            let Some((name, value)) = parameter.split_once('=') else {
                continue;
            };
            if name.trim().eq_ignore_ascii_case("name") {
                return value.trim().trim_matches('"').replace("%22", "\"");
            }
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_found_in_any_spelling() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"",
                Some("a b"),
            ),
            ("application/x-www-form-urlencoded", None),
            ("multipart/form-data", None),
            ("multipart/mixed; boundary=abc", None),
        ] {
            assert_eq!(boundary(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn parts_have_names_and_raw_contents() {
        let body = b"--X\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT\r\n1\r\n--X\r\n\
            content-disposition: form-data; name=param_a\r\nContent-Type: text/plain\r\n\r\n\r\n--X--\r\n";
        assert_eq!(
            parts(body, "X").unwrap(),
            [
                Part {
                    name: "query".to_owned(),
                    content: b"SELECT\r\n1"
                },
                Part {
                    name: "param_a".to_owned(),
                    content: b""
                },
            ]
        );
    }

    #[test]
    fn broken_forms_are_errors_not_panics() {
        let whole = b"--X\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\nv\r\n--X--\r\n";
        assert!(parts(whole, "X").is_ok());
        for end in 0..whole.len() - 4 {
            assert!(parts(&whole[..end], "X").is_err(), "{end}");
        }
        assert!(parts(b"", "").is_err());
        let mut endless = b"--X".to_vec();
        for _ in 0..=MAX_FORM_PARTS {
            endless.extend_from_slice(b"\r\n\r\nv\r\n--X");
        }
        endless.extend_from_slice(b"--");
        assert_eq!(parts(&endless, "X"), Err("the form has too many parts"));
    }
}
