//! Small functions on text: single characters, parts, replacing by place, quoting.

use datafusion::arrow::datatypes::{Int32Type, UInt8Type};

use super::budget::Budget;
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Longs, Texts, flags, numbers, text_lists, texts};
use crate::functions::signature::{Call, Entry, MANY, strict};
use crate::functions::string::mapped;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("ascii", (1, 1), |call| {
        call.want_text(&[0])?;
        Ok(Resolved::new(Type::Int32, |cols, rows| {
            let s = Texts::of(cols, 0)?;
            numbers::<Int32Type>(cols, rows, |row| {
                let first = s.get(row).bytes().next().unwrap_or(0);
                Ok(i32::from(first))
            })
        }))
    })
    .any_case(),
    strict("char", (1, MANY), chars).any_case(),
    strict("firstLine", (1, 1), |call| {
        mapped(call, |s, out| {
            let line = s.split('\n').next().unwrap_or_default();
            out.push_str(line.strip_suffix('\r').unwrap_or(line));
        })
    }),
    strict("initcap", (1, 1), |call| {
        mapped(call, |s, out| {
            capitalised(
                s,
                |c| c.is_ascii_alphanumeric(),
                out,
                |c| c.to_ascii_uppercase().to_string(),
            );
        })
    })
    .any_case(),
    strict("initcapUTF8", (1, 1), |call| {
        mapped(call, |s, out| {
            capitalised(s, char::is_alphanumeric, out, |c| {
                c.to_uppercase().to_string()
            });
        })
    }),
    strict("soundex", (1, 1), |call| mapped(call, soundex)).any_case(),
    strict("substringIndex", (3, 3), substring_index).any_case(),
    strict("SUBSTRING_INDEX", (3, 3), substring_index).any_case(),
    strict("substringIndexUTF8", (3, 3), substring_index),
    strict("translate", (3, 3), translate),
    strict("translateUTF8", (3, 3), translate),
    strict("overlay", (3, 4), overlay).any_case(),
    strict("overlayUTF8", (3, 4), overlay),
    strict("ngrams", (2, 2), ngrams),
    strict("regexpQuoteMeta", (1, 1), |call| {
        mapped(call, |s, out| {
            for c in s.chars() {
                if matches!(
                    c,
                    '\\' | '|'
                        | '('
                        | ')'
                        | '^'
                        | '$'
                        | '.'
                        | '['
                        | '?'
                        | '*'
                        | '+'
                        | '{'
                        | ':'
                        | '-'
                ) {
                    out.push('\\');
                }
                out.push(c);
            }
        })
    }),
    strict("encodeXMLComponent", (1, 1), |call| {
        mapped(call, |s, out| {
            for c in s.chars() {
                match c {
                    '&' => out.push_str("&amp;"),
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '"' => out.push_str("&quot;"),
                    '\'' => out.push_str("&apos;"),
                    _ => out.push(c),
                }
            }
        })
    }),
    strict("decodeXMLComponent", (1, 1), |call| {
        mapped(call, decode_xml)
    }),
    strict("isValidASCII", (1, 1), |call| {
        call.want_text(&[0])?;
        Ok(Resolved::new(Type::UInt8, |cols, rows| {
            let s = Texts::of(cols, 0)?;
            flags(cols, rows, |row| Ok(s.get(row).is_ascii()))
        }))
    }),
    strict("isASCII", (1, 1), |call| {
        call.want_text(&[0])?;
        Ok(Resolved::new(Type::UInt8, |cols, rows| {
            let s = Texts::of(cols, 0)?;
            flags(cols, rows, |row| Ok(s.get(row).is_ascii()))
        }))
    }),
    strict("startsWithUTF8", (2, 2), |call| {
        edge(call, |s, n| s.starts_with(n))
    }),
    strict("endsWithUTF8", (2, 2), |call| {
        edge(call, |s, n| s.ends_with(n))
    }),
    strict("startsWithCaseInsensitive", (2, 2), |call| {
        edge(call, |s, n| {
            s.to_ascii_lowercase().starts_with(&n.to_ascii_lowercase())
        })
    }),
    strict("endsWithCaseInsensitive", (2, 2), |call| {
        edge(call, |s, n| {
            s.to_ascii_lowercase().ends_with(&n.to_ascii_lowercase())
        })
    }),
    strict("toStringCutToZero", (1, 1), |call| {
        mapped(call, |s, out| {
            out.push_str(s.split('\0').next().unwrap_or_default());
        })
    }),
    strict("isIPv4String", (1, 1), |call| {
        address(call, |s| s.parse::<std::net::Ipv4Addr>().is_ok())
    }),
    strict("isIPv6String", (1, 1), |call| {
        address(call, |s| s.parse::<std::net::Ipv6Addr>().is_ok())
    }),
    strict("isIPAddressInRange", (2, 2), in_range),
    strict("bin", (1, 1), binary).any_case(),
    strict("unbin", (1, 1), |call| mapped(call, unbin)).any_case(),
    strict("countDigits", (1, 1), |call| {
        call.want_integer(&[0])?;
        Ok(Resolved::new(Type::UInt8, |cols, rows| {
            let values = Longs::of(cols, 0)?;
            numbers::<UInt8Type>(cols, rows, |row| {
                let size = values.get(row).unsigned_abs();
                let digits = size.checked_ilog10().map_or(1, |log| log + 1);
                Ok(u8::try_from(digits).unwrap_or(u8::MAX))
            })
        }))
    }),
];

fn chars(call: &Call<'_>) -> Result<Resolved> {
    let count = call.args.len();
    call.want_number(&(0..count).collect::<Vec<_>>())?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let codes = (0..count)
            .map(|i| Longs::of(cols, i))
            .collect::<datafusion::error::Result<Vec<_>>>()?;
        texts(cols, rows, |row, out| {
            let byte = |code: &Longs| u8::try_from(code.get(row) & 0xff).unwrap_or(0);
            let bytes: Vec<u8> = codes.iter().map(byte).collect();
            out.push_str(&String::from_utf8_lossy(&bytes));
            Ok(())
        })
    }))
}

fn capitalised(text: &str, in_word: fn(char) -> bool, out: &mut String, upper: fn(char) -> String) {
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.push_str(&upper(c));
        }
        inside = in_word(c);
    }
}

fn soundex(text: &str, out: &mut String) {
    let code = |c: char| match c.to_ascii_lowercase() {
        'b' | 'f' | 'p' | 'v' => Some('1'),
        'c' | 'g' | 'j' | 'k' | 'q' | 's' | 'x' | 'z' => Some('2'),
        'd' | 't' => Some('3'),
        'l' => Some('4'),
        'm' | 'n' => Some('5'),
        'r' => Some('6'),
        _ => None,
    };
    let mut letters = text.chars().filter(char::is_ascii_alphabetic);
    let Some(first) = letters.next() else { return };
    out.push(first.to_ascii_uppercase());
    let mut last = code(first);
    for letter in letters {
        let own = code(letter);
        if let Some(digit) = own
            && own != last
            && out.len() < 4
        {
            out.push(digit);
        }
        // H and W do not part equal codes.
        if !matches!(letter.to_ascii_lowercase(), 'h' | 'w') {
            last = own;
        }
    }
    while out.len() < 4 {
        out.push('0');
    }
}

fn substring_index(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    call.want_integer(&[2])?;
    Ok(Resolved::new(Type::String, |cols, rows| {
        let (s, delimiters) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        let counts = Longs::of(cols, 2)?;
        texts(cols, rows, |row, out| {
            let (text, delimiter, count) = (s.get(row), delimiters.get(row), counts.get(row));
            let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
            if wanted == 0 || delimiter.is_empty() {
                return Ok(());
            }
            let cut = if count > 0 {
                text.match_indices(delimiter)
                    .nth(wanted - 1)
                    .map(|(at, _)| text.get(..at))
            } else {
                text.rmatch_indices(delimiter)
                    .nth(wanted - 1)
                    .map(|(at, _)| text.get(at + delimiter.len()..))
            };
            out.push_str(cut.flatten().unwrap_or(text));
            Ok(())
        })
    }))
}

/// Characters of the second text become those at the same place in the third; without one there they go.
fn translate(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1, 2])?;
    Ok(Resolved::new(Type::String, |cols, rows| {
        let s = Texts::of(cols, 0)?;
        let (from, to) = (Texts::of(cols, 1)?, Texts::of(cols, 2)?);
        texts(cols, rows, |row, out| {
            for c in s.get(row).chars() {
                match from.get(row).chars().position(|known| known == c) {
                    None => out.push(c),
                    Some(place) => out.extend(to.get(row).chars().nth(place)),
                }
            }
            Ok(())
        })
    }))
}

/// A piece of the text replaced by another.
fn overlay(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    call.want_integer(&[2, 3])?;
    let with_length = call.args.len() > 3;
    let by_chars = call.name.ends_with("UTF8");
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let (s, pieces) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        let offsets = Longs::of(cols, 2)?;
        let lengths = with_length.then(|| Longs::of(cols, 3)).transpose()?;
        texts(cols, rows, |row, out| {
            let units: Vec<Vec<u8>> = if by_chars {
                let each = s.get(row).chars();
                each.map(|c| c.to_string().into_bytes()).collect()
            } else {
                s.get(row).bytes().map(|b| vec![b]).collect()
            };
            let piece = pieces.get(row);
            let own = if by_chars {
                piece.chars().count()
            } else {
                piece.len()
            };
            let total = i64::try_from(units.len()).unwrap_or(i64::MAX);
            let offset = offsets.get(row);
            let start = if offset > 0 {
                offset - 1
            } else {
                total.saturating_add(offset)
            };
            let start = usize::try_from(start.clamp(0, total)).unwrap_or(0);
            let given = lengths.as_ref().map(|lengths| lengths.get(row));
            let length = given.and_then(|n| usize::try_from(n).ok()).unwrap_or(own);
            let end = start.saturating_add(length).min(units.len());
            let before = units.get(..start).unwrap_or_default().concat();
            let after = units.get(end..).unwrap_or_default().concat();
            out.push_str(&String::from_utf8_lossy(&before));
            out.push_str(piece);
            out.push_str(&String::from_utf8_lossy(&after));
            Ok(())
        })
    }))
}

fn ngrams(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    call.want_integer(&[1])?;
    let ty = Type::Array(Box::new(Type::String));
    Ok(Resolved::new(ty, |cols, rows| {
        let s = Texts::of(cols, 0)?;
        let sizes = Longs::of(cols, 1)?;
        let mut budget = Budget::new();
        text_lists(cols, rows, |row, items| {
            let size = usize::try_from(sizes.get(row)).unwrap_or(0);
            if size == 0 {
                let what = "The size of n-grams must be a positive number";
                return Err(QueryError::new(ErrorCode::BadArguments, what).external());
            }
            let text = s.get(row);
            let bounds: Vec<usize> = text
                .char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .collect();
            for window in bounds.windows(size + 1) {
                if let (Some(from), Some(to)) = (window.first(), window.last()) {
                    budget.spend(Some(to - from))?;
                    items.append_value(text.get(*from..*to).unwrap_or_default());
                }
            }
            Ok(())
        })
    }))
}

fn decode_xml(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after.split_once(';').and_then(|(name, tail)| {
            let c = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => {
                    let digits = name.strip_prefix('#')?;
                    let number = match digits.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => digits.parse().ok()?,
                    };
                    char::from_u32(number)?
                }
            };
            Some((c, tail))
        });
        match known {
            Some((c, tail)) => {
                out.push(c);
                rest = tail;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
}

fn edge(call: &Call<'_>, f: fn(&str, &str) -> bool) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let (s, n) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        flags(cols, rows, |row| Ok(f(s.get(row), n.get(row))))
    }))
}

fn address(call: &Call<'_>, f: fn(&str) -> bool) -> Result<Resolved> {
    call.want_text(&[0])?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        flags(cols, rows, |row| Ok(f(s.get(row))))
    }))
}

/// An address as 128 bits, and how many of them are the address.
fn bits_of(address: &str) -> Option<(u128, u32)> {
    match address.parse::<std::net::IpAddr>().ok()? {
        std::net::IpAddr::V4(v4) => Some((u128::from(v4.to_bits()), 32)),
        std::net::IpAddr::V6(v6) => Some((v6.to_bits(), 128)),
    }
}

fn in_range(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let bad = |what: &str| QueryError::new(ErrorCode::CannotParseText, what.to_owned()).external();
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let (addresses, ranges) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        flags(cols, rows, |row| {
            let (address, width) =
                bits_of(addresses.get(row)).ok_or_else(|| bad("Neither IPv4 nor IPv6 address"))?;
            let (network, prefix) = ranges
                .get(row)
                .split_once('/')
                .ok_or_else(|| bad("The text does not contain '/'"))?;
            let (network, network_width) =
                bits_of(network).ok_or_else(|| bad("Neither IPv4 nor IPv6 address"))?;
            let prefix: u32 = prefix
                .parse()
                .ok()
                .filter(|prefix| *prefix <= network_width)
                .ok_or_else(|| bad("The CIDR has a malformed prefix bits"))?;
            let unused = network_width - prefix;
            let high = |bits: u128| bits.checked_shr(unused).unwrap_or(0);
            Ok(width == network_width && high(address) == high(network))
        })
    }))
}

/// Bits of whole bytes; of numbers without leading zero bytes.
fn binary(call: &Call<'_>) -> Result<Resolved> {
    let ty = call.ty(0);
    if ty.is_text() {
        return mapped(call, |s, out| {
            s.bytes()
                .for_each(|byte| out.push_str(&format!("{byte:08b}")));
        });
    }
    if !ty.is_integer() && !ty.is_time() {
        return Err(call.illegal(0));
    }
    let mask = match ty.bits() {
        0 | 64 => u64::MAX,
        bits => (1_u64 << bits) - 1,
    };
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let values = Longs::of(cols, 0)?;
        texts(cols, rows, |row, out| {
            let bytes = (values.get(row).cast_unsigned() & mask).to_be_bytes();
            let significant = bytes.iter().skip_while(|byte| **byte == 0);
            significant.for_each(|byte| out.push_str(&format!("{byte:08b}")));
            if out.is_empty() {
                out.push_str("00000000");
            }
            Ok(())
        })
    }))
}

fn unbin(text: &str, out: &mut String) {
    let missing = (8 - text.len() % 8) % 8;
    let padded = format!("{}{text}", "0".repeat(missing));
    let byte = |bits: &[u8]| bits.iter().fold(0_u8, |byte, bit| byte << 1 | (bit & 1));
    let bytes: Vec<u8> = padded.as_bytes().chunks(8).map(byte).collect();
    out.push_str(&String::from_utf8_lossy(&bytes));
}
