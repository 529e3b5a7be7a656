//! One set of attributes: collected from the wire, extended, then written sorted and without
//! repeated keys.

use super::value::{AnyValue, append_text, key_value};
use crate::batch::AttributesColumn;
use crate::error::Result;
use crate::limits::{MAX_ATTRIBUTES_COUNT, MAX_KEY_BYTES, MAX_VALUE_BYTES};
use crate::notes::{Notes, Rejection};

/// The set being collected. Reused for every record, so that a record costs no allocation.
#[derive(Debug)]
pub(crate) struct AttributeSet<'a> {
    pairs: Vec<Pair<'a>>,
    /// Texts that do not stand on the wire: flattened fields and repaired keys.
    arena: Vec<u8>,
    sorted: SortedShape,
    strictly_sorted: bool,
    rejection: Option<Rejection>,
}

/// The keys that were sorted last, in the order they came, and the order that sorts them. Records of
/// one kind have the same keys in the same places, so comparing mostly replaces sorting.
#[derive(Debug, Default)]
struct SortedShape {
    keys: Vec<u8>,
    ends: Vec<usize>,
    order: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Pair<'a> {
    key: Part<'a>,
    value: PairValue<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Wire(&'a [u8]),
    Arena(Span),
}

#[derive(Debug, Clone, Copy)]
enum PairValue<'a> {
    /// An encoded `AnyValue`.
    Wire(&'a [u8]),
    /// Text of a flattened field, and whether it was a string.
    Text(Span, FieldKind),
}

/// What a flattened field was before it became text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    /// A string.
    Text,
    /// Anything else.
    Other,
}

/// A text in the arena.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

/// A point to return to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pairs: usize,
    arena: usize,
    strictly_sorted: bool,
}

impl<'a> AttributeSet<'a> {
    pub(crate) fn new() -> Self {
        Self {
            pairs: Vec::new(),
            arena: Vec::new(),
            sorted: SortedShape::default(),
            strictly_sorted: true,
            rejection: None,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.pairs.clear();
        self.arena.clear();
        self.strictly_sorted = true;
        self.rejection = None;
    }

    /// Adds an encoded `KeyValue`. What passes a bound is left out and remembered in
    /// [`Self::rejection`].
    #[inline]
    pub(crate) fn add(&mut self, bytes: &'a [u8], notes: &mut Notes) -> Result<()> {
        let (key, value) = key_value(bytes)?;
        if self.pairs.len() >= MAX_ATTRIBUTES_COUNT {
            self.rejection = Some(Rejection::AttributeCount);
            return Ok(());
        }
        if key.len() > MAX_KEY_BYTES || value.len() > MAX_VALUE_BYTES {
            self.rejection = Some(Rejection::Length);
            return Ok(());
        }
        let key = if key.is_ascii() || simdutf8::basic::from_utf8(key).is_ok() {
            Part::Wire(key)
        } else {
            notes.invalid_utf8 += 1;
            Part::Arena(self.store(String::from_utf8_lossy(key).as_bytes()))
        };
        self.push(key, PairValue::Wire(value));
        Ok(())
    }

    /// Adds a field of a flattened body: texts that were written with [`Self::arena`]. `false` when
    /// the set is full.
    pub(super) fn add_field(&mut self, key: Span, value: Span, kind: FieldKind) -> bool {
        if self.pairs.len() >= MAX_ATTRIBUTES_COUNT || key.end - key.start > MAX_KEY_BYTES {
            return false;
        }
        self.push(Part::Arena(key), PairValue::Text(value, kind));
        true
    }

    /// Appends a text to the arena.
    pub(super) fn store(&mut self, text: &[u8]) -> Span {
        let start = self.arena.len();
        self.arena.extend_from_slice(text);
        self.stored_since(start)
    }

    /// The arena, to write a text into; [`Self::stored_since`] its previous length is that text.
    pub(super) fn arena(&mut self) -> &mut Vec<u8> {
        &mut self.arena
    }

    pub(super) fn stored_since(&self, start: usize) -> Span {
        Span {
            start,
            end: self.arena.len(),
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            pairs: self.pairs.len(),
            arena: self.arena.len(),
            strictly_sorted: self.strictly_sorted,
        }
    }

    /// Forgets everything added since `mark`.
    pub(super) fn roll_back(&mut self, mark: Mark) {
        self.pairs.truncate(mark.pairs);
        self.arena.truncate(mark.arena);
        self.strictly_sorted = mark.strictly_sorted;
    }

    /// Which bound the set passed.
    pub(crate) fn rejection(&self) -> Option<Rejection> {
        self.rejection
    }

    #[inline]
    fn push(&mut self, key: Part<'a>, value: PairValue<'a>) {
        if self.strictly_sorted
            && let Some(last) = self.pairs.last()
        {
            self.strictly_sorted = self.bytes_of(last.key) < self.bytes_of(key);
        }
        self.pairs.push(Pair { key, value });
    }

    #[inline]
    fn bytes_of(&self, part: Part<'a>) -> &[u8] {
        resolve(&self.arena, part)
    }

    /// The value of the last pair called `name`, as text in `out`; `false` when there is none.
    pub(crate) fn find_text(
        &self,
        name: &[u8],
        out: &mut Vec<u8>,
        notes: &mut Notes,
    ) -> Result<bool> {
        let Some(pair) = self.find(name) else {
            return Ok(false);
        };
        match pair.value {
            PairValue::Wire(bytes) => append_text(out, AnyValue::read(bytes)?, notes)?,
            PairValue::Text(span, _) => {
                out.extend_from_slice(resolve(&self.arena, Part::Arena(span)));
            }
        }
        Ok(true)
    }

    /// The string value of the last pair called `name`, when it is a string and not empty.
    pub(crate) fn find_string(&self, name: &[u8]) -> Result<Option<&[u8]>> {
        let Some(pair) = self.find(name) else {
            return Ok(None);
        };
        let text = match pair.value {
            PairValue::Wire(bytes) => match AnyValue::read(bytes)? {
                AnyValue::Text(text) => text,
                AnyValue::Empty
                | AnyValue::Bool(_)
                | AnyValue::Int(_)
                | AnyValue::Double(_)
                | AnyValue::List(_)
                | AnyValue::Map(_)
                | AnyValue::Bytes(_) => return Ok(None),
            },
            PairValue::Text(span, FieldKind::Text) => resolve(&self.arena, Part::Arena(span)),
            PairValue::Text(_, FieldKind::Other) => return Ok(None),
        };
        Ok((!text.is_empty()).then_some(text))
    }

    #[inline]
    fn find(&self, name: &[u8]) -> Option<&Pair<'a>> {
        self.pairs
            .iter()
            .rev()
            .find(|pair| self.bytes_of(pair.key) == name)
    }

    /// Appends the set to `column`: keys sorted, of equal keys the last.
    pub(crate) fn write(&mut self, column: &mut AttributesColumn, notes: &mut Notes) -> Result<()> {
        if self.strictly_sorted {
            for pair in &self.pairs {
                write_pair(pair, &self.arena, column, notes)?;
            }
        } else {
            self.write_unsorted(column, notes)?;
        }
        column.end_set();
        Ok(())
    }

    fn write_unsorted(&mut self, column: &mut AttributesColumn, notes: &mut Notes) -> Result<()> {
        let Self {
            pairs,
            arena,
            sorted,
            ..
        } = self;
        if !sorted.has_keys_of(pairs, arena) {
            sorted.sort(pairs, arena);
        }
        let mut rest = sorted.order.iter().peekable();
        while let Some(index) = rest.next() {
            let Some(pair) = pairs.get(*index) else {
                continue;
            };
            match rest.peek().and_then(|next| pairs.get(**next)) {
                Some(next) if resolve(arena, next.key) == resolve(arena, pair.key) => {
                    // A flattened field that replaces an attribute is meant to.
                    if matches!(next.value, PairValue::Wire(_)) {
                        notes.duplicate_keys += 1;
                    }
                }
                _ => write_pair(pair, arena, column, notes)?,
            }
        }
        Ok(())
    }
}

impl SortedShape {
    fn has_keys_of(&self, pairs: &[Pair<'_>], arena: &[u8]) -> bool {
        let mut start = 0;
        self.ends.len() == pairs.len()
            && self.ends.iter().zip(pairs).all(|(end, pair)| {
                let same = self.keys.get(start..*end) == Some(resolve(arena, pair.key));
                start = *end;
                same
            })
    }

    /// Sorts by key; equal keys stay in the order they came.
    fn sort(&mut self, pairs: &[Pair<'_>], arena: &[u8]) {
        self.keys.clear();
        self.ends.clear();
        for pair in pairs {
            self.keys.extend_from_slice(resolve(arena, pair.key));
            self.ends.push(self.keys.len());
        }
        let key_at = |index: &usize| {
            pairs
                .get(*index)
                .map_or(&[][..], |pair| resolve(arena, pair.key))
        };
        self.order.clear();
        self.order.extend(0..pairs.len());
        self.order
            .sort_unstable_by(|a, b| key_at(a).cmp(key_at(b)).then(a.cmp(b)));
    }
}

#[inline]
fn resolve<'b>(arena: &'b [u8], part: Part<'b>) -> &'b [u8] {
    match part {
        Part::Wire(bytes) => bytes,
        Part::Arena(span) => arena.get(span.start..span.end).unwrap_or_default(),
    }
}

#[inline]
fn write_pair(
    pair: &Pair<'_>,
    arena: &[u8],
    column: &mut AttributesColumn,
    notes: &mut Notes,
) -> Result<()> {
    let out = column.begin_pair(resolve(arena, pair.key));
    match pair.value {
        PairValue::Wire(bytes) => append_text(out, AnyValue::read(bytes)?, notes)?,
        PairValue::Text(span, _) => out.extend_from_slice(resolve(arena, Part::Arena(span))),
    }
    column.end_pair();
    Ok(())
}
