//! The severity of a record that carries none: from its attributes, else from its first words, else
//! `info`.

use std::borrow::Cow;

use crate::attributes::{AnyValue, AttributeSet};
use crate::error::Result;
use crate::limits::SEVERITY_SEARCH_CHARS;

/// A severity by word and number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Severity<'s> {
    pub(super) number: u8,
    /// Lower case.
    pub(super) text: Cow<'s, [u8]>,
}

/// Attributes that name a severity, in the order they are asked.
const ATTRIBUTES: [&[u8]; 7] = [
    b"level",
    b"Level",
    b"LEVEL",
    b"severity",
    b"Severity",
    b"SEVERITY",
    b"log.level",
];

/// What remains when no word says otherwise.
const INFO_NUMBER: u8 = 9;

/// A severity and the words that mean it.
struct Known {
    number: u8,
    name: &'static str,
    words: &'static [&'static [u8]],
}

/// Asked in this order: a text may contain words of several.
const KNOWN: [Known; 6] = [
    Known {
        number: 21,
        name: "fatal",
        words: &[b"alert", b"crit", b"emerg", b"fatal"],
    },
    Known {
        number: 17,
        name: "error",
        words: &[b"err"],
    },
    Known {
        number: 13,
        name: "warn",
        words: &[b"warn", b"notice"],
    },
    Known {
        number: INFO_NUMBER,
        name: "info",
        words: &[b"info"],
    },
    Known {
        number: 5,
        name: "debug",
        words: &[b"debug", b"dbug"],
    },
    Known {
        number: 1,
        name: "trace",
        words: &[b"trace"],
    },
];

/// The severity of a record whose severity number and text are unset.
pub(super) fn infer<'s>(set: &AttributeSet<'_>, body: AnyValue<'s>) -> Result<Severity<'s>> {
    for name in ATTRIBUTES {
        if let Some(text) = set.find_string(name)? {
            let text = String::from_utf8_lossy(text).to_lowercase().into_bytes();
            return Ok(Severity {
                number: number_of(&text),
                text: Cow::Owned(text),
            });
        }
    }
    let known = match body {
        AnyValue::Text(text) => first_word(search_part(text)),
        AnyValue::Empty
        | AnyValue::Bool(_)
        | AnyValue::Int(_)
        | AnyValue::Double(_)
        | AnyValue::List(_)
        | AnyValue::Map(_)
        | AnyValue::Bytes(_) => None,
    };
    let (number, name) = known.map_or((INFO_NUMBER, "info"), |known| (known.number, known.name));
    Ok(Severity {
        number,
        text: Cow::Borrowed(name.as_bytes()),
    })
}

/// The number of a severity text in lower case; 0 for a text that contains no known word.
fn number_of(text: &[u8]) -> u8 {
    KNOWN
        .iter()
        .find(|known| known.words.iter().any(|word| contains(text, word)))
        .map_or(0, |known| known.number)
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part == word)
}

/// The first [`SEVERITY_SEARCH_CHARS`] characters.
fn search_part(text: &[u8]) -> &[u8] {
    let head = text.get(..SEVERITY_SEARCH_CHARS).unwrap_or(text);
    if head.is_ascii() {
        return head;
    }
    let end = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| (**byte & 0xc0) != 0x80)
        .map(|(index, _)| index)
        .nth(SEVERITY_SEARCH_CHARS);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The severity whose word comes first. A word must start at a border of letters, digits and `_`,
/// and may go on: `Warning` and `errors` count, `terror` does not. `info` is no such word: it is
/// what remains.
fn first_word(text: &[u8]) -> Option<&'static Known> {
    let mut before = Class::Other;
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        let class = CLASSES
            .get(usize::from(byte))
            .copied()
            .unwrap_or(Class::Other);
        if class == Class::Start && before == Class::Other {
            let found = KNOWN
                .iter()
                .filter(|known| known.number != INFO_NUMBER)
                .find(|known| known.words.iter().any(|word| starts_with(rest, word)));
            if found.is_some() {
                return found;
            }
        }
        before = class;
        rest = tail;
    }
    None
}

/// What a byte is to the search for words. Most bodies contain none of the words, so the loop over their bytes is all
/// that most searches cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Not part of a word.
    Other,
    /// Part of a word.
    Word,
    /// Part of a word, and the first letter of some severity.
    Start,
}

static CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Other; 256];
    let mut byte = 0u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            let class = match byte.to_ascii_lowercase() {
                b'a' | b'c' | b'd' | b'e' | b'f' | b'n' | b't' | b'w' => Class::Start,
                _ => Class::Word,
            };
            if let Some(slot) = classes.split_at_mut(byte as usize).1.first_mut() {
                *slot = class;
            }
        }
        byte += 1;
    }
    classes
}

#[inline]
fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word_of(body: &str) -> &'static str {
        first_word(search_part(body.as_bytes())).map_or("", |known| known.name)
    }

    #[test]
    fn the_first_word_of_the_body_decides() {
        for (body, expect) in [
            ("ALERT: disk", "fatal"),
            ("critical failure", "fatal"),
            ("[emerg] nginx", "fatal"),
            ("Fatal", "fatal"),
            ("an ERROR then a warning", "error"),
            ("err=1", "error"),
            ("errors: 3", "error"),
            ("Warning! error", "warn"),
            ("notice of error", "warn"),
            ("DEBUG x", "debug"),
            ("dbug", "debug"),
            ("stack trace: error", "trace"),
            ("level=error", "error"),
            ("a-warn", "warn"),
            ("\u{e9}warn", "warn"),
            ("terror", ""),
            ("my_error", ""),
            ("0error", ""),
            ("info: all fine", ""),
            ("", ""),
            ("er", ""),
        ] {
            assert_eq!(word_of(body), expect, "{body}");
        }
    }

    #[test]
    fn every_word_starts_with_a_letter_that_is_looked_for() {
        for word in KNOWN
            .iter()
            .filter(|known| known.number != INFO_NUMBER)
            .flat_map(|known| known.words)
        {
            for first in [word[0], word[0].to_ascii_uppercase()] {
                assert_eq!(
                    CLASSES[usize::from(first)],
                    Class::Start,
                    "{}",
                    char::from(first)
                );
            }
        }
    }

    #[test]
    fn only_the_first_256_characters_are_searched() {
        for filler in [".", "\u{e9}", "\u{1f600}"] {
            assert_eq!(word_of(&format!("{}error", filler.repeat(251))), "error");
            // One character more, and the word is cut.
            assert_eq!(word_of(&format!("{}error", filler.repeat(254))), "");
        }
        // `err` alone still fits where `error` does not.
        assert_eq!(word_of(&format!("{}error", ".".repeat(253))), "error");
    }

    #[test]
    fn the_number_follows_from_any_text_that_contains_a_word() {
        for (text, number) in [
            ("critical", 21),
            ("emergency", 21),
            ("error", 17),
            ("err", 17),
            ("warning", 13),
            ("notice", 13),
            ("information", 9),
            ("debug", 5),
            ("trace", 1),
            ("verbose", 0),
            ("", 0),
        ] {
            assert_eq!(number_of(text.as_bytes()), number, "{text}");
        }
    }
}
