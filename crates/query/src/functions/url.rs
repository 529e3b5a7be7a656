//! Parts of URLs: cut out of the text as it is, nothing is checked or decoded unless the name says so.

use datafusion::arrow::datatypes::UInt16Type;

use super::kernel::Resolved;
use super::rows::{Longs, Texts, numbers, pieces, text_lists, texts};
use super::signature::{Call, Entry, strict};
use super::string::mapped;
use crate::error::Result;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("protocol", (1, 1), |call| piece(call, protocol)),
    strict("domain", (1, 1), |call| piece(call, host)),
    strict("domainRFC", (1, 1), |call| piece(call, host)),
    strict("domainWithoutWWW", (1, 1), |call| {
        piece(call, |url| without_www(host(url)))
    }),
    strict("topLevelDomain", (1, 1), |call| piece(call, top_level)),
    strict("path", (1, 1), |call| {
        piece(call, |url| before_any(full_path(url), &['?', '#']))
    }),
    strict("pathFull", (1, 1), |call| piece(call, full_path)),
    strict("queryString", (1, 1), |call| {
        piece(call, |url| before_any(after(url, '?'), &['#']))
    }),
    strict("fragment", (1, 1), |call| {
        piece(call, |url| after(url, '#'))
    }),
    strict("queryStringAndFragment", (1, 1), |call| {
        piece(call, query_and_fragment)
    }),
    strict("netloc", (1, 1), |call| piece(call, netloc)),
    strict("cutQueryString", (1, 1), |call| mapped(call, cut_query)),
    strict("cutFragment", (1, 1), |call| {
        piece(call, |url| before_any(url, &['#']))
    }),
    strict("cutQueryStringAndFragment", (1, 1), |call| {
        piece(call, |url| before_any(url, &['?', '#']))
    }),
    strict("cutWWW", (1, 1), |call| mapped(call, cut_www)),
    strict("cutURLParameter", (2, 2), cut_parameter),
    strict("extractURLParameter", (2, 2), parameter),
    strict("extractURLParameters", (1, 1), |call| {
        parameter_list(call, |parameter| {
            parameter.contains('=').then_some(parameter)
        })
    }),
    strict("extractURLParameterNames", (1, 1), |call| {
        parameter_list(call, |parameter| {
            parameter.split_once('=').map(|(name, _)| name)
        })
    }),
    strict("URLHierarchy", (1, 1), |call| hierarchy(call, true)),
    strict("URLPathHierarchy", (1, 1), |call| hierarchy(call, false)),
    strict("port", (1, 2), port),
    strict("decodeURLComponent", (1, 1), |call| {
        mapped(call, |s, out| decode(s, false, out))
    }),
    strict("decodeURLFormComponent", (1, 1), |call| {
        mapped(call, |s, out| decode(s, true, out))
    }),
    strict("encodeURLComponent", (1, 1), |call| {
        mapped(call, |s, out| encode(s, false, out))
    }),
    strict("encodeURLFormComponent", (1, 1), |call| {
        mapped(call, |s, out| encode(s, true, out))
    }),
];

fn piece(call: &Call<'_>, part: fn(&str) -> &str) -> Result<Resolved> {
    call.want_text(&[0])?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let urls = Texts::of(cols, 0)?;
        pieces(cols, rows, |row| Ok(part(urls.get(row))))
    }))
}

fn protocol(url: &str) -> &str {
    let end = url
        .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'))
        .unwrap_or(url.len());
    let (scheme, rest) = url.split_at(end);
    let known = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.starts_with("://");
    if known { scheme } else { "" }
}

/// What follows `scheme://` or `//`, else the whole text.
fn after_scheme(url: &str) -> &str {
    if let Some(rest) = url.strip_prefix("//") {
        return rest;
    }
    let scheme = protocol(url);
    if scheme.is_empty() {
        return url;
    }
    url.get(scheme.len() + 3..).unwrap_or_default()
}

/// Host with its port, and the length of what stands before it. Nothing when a character cannot be in a host.
fn authority(url: &str) -> Option<&str> {
    let rest = after_scheme(url);
    let rest = before_any(rest, &['/', '?', '#']);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let bad = |c: char| {
        matches!(
            c,
            ' ' | '\t'
                | '<'
                | '>'
                | '%'
                | '{'
                | '}'
                | '|'
                | '\\'
                | '^'
                | '~'
                | '['
                | ']'
                | ';'
                | '='
                | '&'
        )
    };
    (!rest.contains(bad)).then_some(rest)
}

fn host(url: &str) -> &str {
    let host = before_any(authority(url).unwrap_or_default(), &[':']);
    if host.contains('.') && !host.ends_with('.') {
        host
    } else {
        ""
    }
}

fn without_www(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

fn top_level(url: &str) -> &str {
    let last = host(url).rsplit_once('.').map_or("", |(_, last)| last);
    // The last part of an IPv4 address is no domain.
    if last.starts_with(|c: char| c.is_ascii_digit()) {
        return "";
    }
    last
}

fn netloc(url: &str) -> &str {
    before_any(after_scheme(url), &['/', '?', '#'])
}

/// From the slash after the host to the end.
fn full_path(url: &str) -> &str {
    let Some(at) = url.find('/') else { return "" };
    let rest = url.get(at..).unwrap_or_default();
    let Some(after) = rest.strip_prefix("//") else {
        return rest;
    };
    after
        .find('/')
        .and_then(|at| after.get(at..))
        .unwrap_or_default()
}

fn before_any<'a>(text: &'a str, ends: &[char]) -> &'a str {
    text.find(ends)
        .and_then(|at| text.get(..at))
        .unwrap_or(text)
}

fn after(text: &str, start: char) -> &str {
    text.split_once(start).map_or("", |(_, rest)| rest)
}

fn query_and_fragment(url: &str) -> &str {
    let Some(at) = url.find(['?', '#']) else {
        return "";
    };
    let rest = url.get(at..).unwrap_or_default();
    rest.strip_prefix('?').unwrap_or(rest)
}

fn cut_query(url: &str, out: &mut String) {
    let Some((before, query)) = url.split_once('?') else {
        out.push_str(url);
        return;
    };
    out.push_str(before);
    if let Some(at) = query.find('#') {
        out.push_str(query.get(at..).unwrap_or_default());
    }
}

fn cut_www(url: &str, out: &mut String) {
    let rest = after_scheme(url);
    match rest.strip_prefix("www.").filter(|_| rest.len() < url.len()) {
        Some(host) => {
            out.push_str(url.get(..url.len() - rest.len()).unwrap_or_default());
            out.push_str(host);
        }
        None => out.push_str(url),
    }
}

/// The parameters of the query and of the fragment.
fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let from = url.find(['?', '#']).map_or(url.len(), |at| at + 1);
    let rest = url.get(from..).unwrap_or_default();
    rest.split(['&', '#', '?']).filter(|part| !part.is_empty())
}

fn parameter(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    Ok(Resolved::new(Type::String, |cols, rows| {
        let (urls, names) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        pieces(cols, rows, |row| {
            let wanted = names.get(row);
            let value = parameters(urls.get(row))
                .filter_map(|part| part.split_once('='))
                .find(|(name, _)| *name == wanted);
            Ok(value.map_or("", |(_, value)| value))
        })
    }))
}

fn parameter_list(call: &Call<'_>, part: fn(&str) -> Option<&str>) -> Result<Resolved> {
    call.want_text(&[0])?;
    let ty = Type::Array(Box::new(Type::String));
    Ok(Resolved::new(ty, move |cols, rows| {
        let urls = Texts::of(cols, 0)?;
        text_lists(cols, rows, |row, items| {
            parameters(urls.get(row))
                .filter_map(part)
                .for_each(|found| items.append_value(found));
            Ok(())
        })
    }))
}

fn cut_parameter(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    let names = match call.constant(1) {
        Some(crate::types::Value::Array(items)) => items
            .iter()
            .filter_map(|item| item.as_text().map(str::to_owned))
            .collect(),
        _ => vec![call.constant_text(1)?.to_owned()],
    };
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let urls = Texts::of(cols, 0)?;
        texts(cols, rows, |row, out| {
            out.push_str(urls.get(row));
            for name in &names {
                let cut = without_parameter(out, name);
                *out = cut;
            }
            Ok(())
        })
    }))
}

fn without_parameter(url: &str, name: &str) -> String {
    let wanted = format!("{name}=");
    let Some(begin) = url.find(['?', '#']) else {
        return url.to_owned();
    };
    let mut at = begin + 1;
    loop {
        let rest = url.get(at..).unwrap_or_default();
        let length = rest.find(['&', '#']).unwrap_or(rest.len());
        if rest.starts_with(&wanted) {
            let follows = rest.get(length..).unwrap_or_default();
            // The separator goes with the parameter: the one after it, or the one before the last.
            return match follows.strip_prefix('&') {
                Some(next) => format!("{}{next}", url.get(..at).unwrap_or_default()),
                None if at == begin + 1 => {
                    format!("{}{follows}", url.get(..at).unwrap_or_default())
                }
                None => format!("{}{follows}", url.get(..at - 1).unwrap_or_default()),
            };
        }
        if length == rest.len() {
            return url.to_owned();
        }
        at += length + 1;
    }
}

fn hierarchy(call: &Call<'_>, with_host: bool) -> Result<Resolved> {
    call.want_text(&[0])?;
    let ty = Type::Array(Box::new(Type::String));
    Ok(Resolved::new(ty, move |cols, rows| {
        let urls = Texts::of(cols, 0)?;
        text_lists(cols, rows, |row, items| {
            let url = urls.get(row);
            let start = url.len() - full_path(url).len();
            let from = if with_host { 0 } else { start };
            let text = url.get(from..).unwrap_or_default();
            let first = if with_host { start } else { 0 };
            for (at, c) in text.char_indices() {
                let ends = matches!(c, '/' | '?' | '#') && at >= first;
                if ends && (with_host || at > 0) {
                    items.append_value(text.get(..=at).unwrap_or_default());
                }
            }
            if !text.is_empty() && !text.ends_with(['/', '?', '#']) {
                items.append_value(text);
            }
            Ok(())
        })
    }))
}

fn port(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    call.want_integer(&[1])?;
    let with_default = call.args.len() > 1;
    Ok(Resolved::new(Type::UInt16, move |cols, rows| {
        let urls = Texts::of(cols, 0)?;
        let otherwise = with_default.then(|| Longs::of(cols, 1)).transpose()?;
        numbers::<UInt16Type>(cols, rows, |row| {
            let fallback = || {
                let value = otherwise.as_ref().map_or(0, |values| values.get(row));
                u16::try_from(value).unwrap_or(0)
            };
            let digits = authority(urls.get(row)).and_then(|a| a.split_once(':'));
            Ok(digits
                .and_then(|(_, digits)| digits.parse().ok())
                .unwrap_or_else(fallback))
        })
    }))
}

fn decode(text: &str, plus_is_space: bool, out: &mut String) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%'
            && let Some((pair, tail)) = rest.split_at_checked(2)
            && let Some(byte) = std::str::from_utf8(pair)
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            bytes.push(byte);
            rest = tail;
        } else if *first == b'+' && plus_is_space {
            bytes.push(b' ');
        } else {
            bytes.push(*first);
        }
    }
    out.push_str(&String::from_utf8_lossy(&bytes));
}

fn encode(text: &str, space_is_plus: bool, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else if byte == b' ' && space_is_plus {
            out.push('+');
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}
