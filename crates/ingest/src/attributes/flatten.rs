//! Fields of a structured log body as attributes: nested keys joined with dots, list items by
//! position.

use super::set::{AttributeSet, FieldKind};
use super::value::{AnyValue, append_double, append_text, key_value};
use crate::error::Result;
use crate::limits::{MAX_FLATTEN_GROWTH, MAX_VALUE_DEPTH};
use crate::notes::Notes;
use crate::otlp::{Fields, JsonReader, Token};

/// Bytes that flattened fields may take in any case, however short the body is.
const MIN_GROWTH_BYTES: usize = 1_024;

/// Why a body was not flattened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// It is not JSON.
    NotJson,
    /// Its fields would pass a bound.
    Bound,
}

/// Merges the fields of the JSON object `json` into `set`; they replace attributes of the same
/// name. Text that is not exactly one JSON object changes nothing.
pub(crate) fn flatten_json(set: &mut AttributeSet<'_>, json: &[u8], notes: &mut Notes) {
    let mark = set.mark();
    let json = String::from_utf8_lossy(json);
    let mut flattener = Flattener::new(set, json.len());
    let mut reader = JsonReader::new(json.as_bytes());
    let result = match reader.value() {
        Ok(Token::Object) => flattener
            .object(&mut reader)
            .and_then(|()| reader.finish().map_err(|_| Stop::NotJson)),
        Ok(Token::Null | Token::Bool(_) | Token::Number(_) | Token::Text(_) | Token::Array)
        | Err(_) => Err(Stop::NotJson),
    };
    match result {
        Ok(()) => notes.merged_bodies += 1,
        Err(stop) => {
            set.roll_back(mark);
            if stop == Stop::Bound {
                notes.unmerged_bodies += 1;
            }
        }
    }
}

/// Merges the fields of an encoded `KeyValueList` into `set` in the same way.
pub(crate) fn flatten_map(set: &mut AttributeSet<'_>, map: &[u8], notes: &mut Notes) -> Result<()> {
    let mark = set.mark();
    let mut flattener = Flattener::new(set, map.len());
    if flattener.map(map, 0, notes)? {
        notes.merged_bodies += 1;
    } else {
        set.roll_back(mark);
        notes.unmerged_bodies += 1;
    }
    Ok(())
}

struct Flattener<'s, 'a> {
    set: &'s mut AttributeSet<'a>,
    path: Vec<u8>,
    budget_bytes: usize,
}

impl<'s, 'a> Flattener<'s, 'a> {
    fn new(set: &'s mut AttributeSet<'a>, body_bytes: usize) -> Self {
        Self {
            set,
            path: Vec::new(),
            budget_bytes: body_bytes
                .saturating_mul(MAX_FLATTEN_GROWTH)
                .saturating_add(MIN_GROWTH_BYTES),
        }
    }

    /// The fields of an object that is open.
    fn object(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Stop> {
        let mut first = true;
        while let Some(key) = reader.next_key(&mut first).map_err(|_| Stop::NotJson)? {
            let outer = self.enter();
            key.append_to(&mut self.path).map_err(|_| Stop::NotJson)?;
            self.value(reader)?;
            self.path.truncate(outer);
        }
        Ok(())
    }

    fn array(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Stop> {
        let mut first = true;
        let mut index = 0u64;
        while reader.next_item(&mut first).map_err(|_| Stop::NotJson)? {
            let outer = self.enter_item(index);
            self.value(reader)?;
            self.path.truncate(outer);
            index += 1;
        }
        Ok(())
    }

    /// The value at the current path. Nesting is bounded by the reader.
    fn value(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Stop> {
        let token = reader.value().map_err(|_| Stop::NotJson)?;
        let kind = match token {
            Token::Object => return self.object(reader),
            Token::Array => return self.array(reader),
            Token::Text(_) => FieldKind::Text,
            Token::Null | Token::Bool(_) | Token::Number(_) => FieldKind::Other,
        };
        let key = self.set.store(&self.path);
        let start = self.set.arena().len();
        let out = self.set.arena();
        match token {
            Token::Text(text) => text.append_to(out).map_err(|_| Stop::NotJson)?,
            Token::Bool(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
            Token::Number(digits) => append_number(out, digits),
            Token::Null | Token::Object | Token::Array => {}
        }
        let value = self.set.stored_since(start);
        let taken = self.path.len() + (self.set.arena().len() - start);
        if self.charge(taken) && self.set.add_field(key, value, kind) {
            Ok(())
        } else {
            Err(Stop::Bound)
        }
    }

    /// `false` when a bound is passed.
    fn map(&mut self, bytes: &[u8], depth: u32, notes: &mut Notes) -> Result<bool> {
        let mut fields = Fields::new(bytes, "KeyValueList");
        while let Some(field) = fields.next()? {
            if field.number != 1 {
                continue;
            }
            let (key, value) = key_value(field.bytes()?)?;
            let outer = self.enter();
            self.path
                .extend_from_slice(String::from_utf8_lossy(key).as_bytes());
            let fits = self.any_value(AnyValue::read(value)?, depth, notes)?;
            self.path.truncate(outer);
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn list(&mut self, bytes: &[u8], depth: u32, notes: &mut Notes) -> Result<bool> {
        let mut fields = Fields::new(bytes, "ArrayValue");
        let mut index = 0u64;
        while let Some(field) = fields.next()? {
            if field.number != 1 {
                continue;
            }
            let outer = self.enter_item(index);
            let fits = self.any_value(AnyValue::read(field.bytes()?)?, depth, notes)?;
            self.path.truncate(outer);
            if !fits {
                return Ok(false);
            }
            index += 1;
        }
        Ok(true)
    }

    /// The value at the current path; what is nested too deep is one field, cut as any value is.
    fn any_value(&mut self, value: AnyValue<'_>, depth: u32, notes: &mut Notes) -> Result<bool> {
        match value {
            AnyValue::Map(bytes) if depth < MAX_VALUE_DEPTH => {
                return self.map(bytes, depth + 1, notes);
            }
            AnyValue::List(bytes) if depth < MAX_VALUE_DEPTH => {
                return self.list(bytes, depth + 1, notes);
            }
            AnyValue::Empty
            | AnyValue::Text(_)
            | AnyValue::Bool(_)
            | AnyValue::Int(_)
            | AnyValue::Double(_)
            | AnyValue::Bytes(_) => {}
            AnyValue::Map(_) | AnyValue::List(_) => {
                notes.cut_values += 1;
                return Ok(true);
            }
        }
        let kind = if matches!(value, AnyValue::Text(_)) {
            FieldKind::Text
        } else {
            FieldKind::Other
        };
        let key = self.set.store(&self.path);
        let start = self.set.arena().len();
        append_text(self.set.arena(), value, notes)?;
        let text = self.set.stored_since(start);
        let taken = self.path.len() + (self.set.arena().len() - start);
        Ok(self.charge(taken) && self.set.add_field(key, text, kind))
    }

    /// Makes room for another key at the end of the path; returns the length to come back to.
    fn enter(&mut self) -> usize {
        let outer = self.path.len();
        if outer > 0 {
            self.path.push(b'.');
        }
        outer
    }

    fn enter_item(&mut self, index: u64) -> usize {
        let outer = self.enter();
        self.path
            .extend_from_slice(itoa::Buffer::new().format(index).as_bytes());
        outer
    }

    fn charge(&mut self, bytes: usize) -> bool {
        match self.budget_bytes.checked_sub(bytes) {
            Some(left) => {
                self.budget_bytes = left;
                true
            }
            None => false,
        }
    }
}

/// A JSON number: integers keep their digits, however many; others take the form of any stored
/// double.
fn append_number(out: &mut Vec<u8>, digits: &str) {
    let is_integer = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    match digits.parse::<f64>() {
        Ok(number) if !is_integer && number.is_finite() => append_double(out, number),
        _ => out.extend_from_slice(digits.as_bytes()),
    }
}
