//! RowBinary and its forms, and the values that it shares with Native.

use cairn_query::{ErrorCode, QueryError, Type, Value};

use super::rows::{Rows, at_row, incorrect};
use super::{Head, Result, adapt};

/// Bytes from front to end.
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left: no count of things may be larger.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(QueryError::new(
                ErrorCode::CannotReadAllData,
                format!(
                    "Cannot read all data. Bytes read: {}. Bytes expected: {count}",
                    self.rest.len()
                ),
            ));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| incorrect("a value is cut"))
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn varuint(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(incorrect("a length is longer than 64 bits"))
    }

    /// A count of things of at least one byte each.
    pub(super) fn length(&mut self) -> Result<usize> {
        let length = usize::try_from(self.varuint()?).unwrap_or(usize::MAX);
        match length <= self.left() {
            true => Ok(length),
            false => Err(QueryError::new(
                ErrorCode::CannotReadAllData,
                format!(
                    "Cannot read all data: {length} values in {} bytes",
                    self.left()
                ),
            )),
        }
    }

    pub(super) fn text(&mut self) -> Result<String> {
        let length = self.length()?;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    /// A value that is no container.
    pub(super) fn scalar(&mut self, ty: &Type) -> Result<Value> {
        let unsigned = |value: u64| Value::UInt(value);
        let signed = |value: i64| Value::Int(value);
        Ok(match ty {
            Type::UInt8 => unsigned(u8::from_le_bytes(self.array()?).into()),
            Type::UInt16 | Type::Date => unsigned(u16::from_le_bytes(self.array()?).into()),
            Type::UInt32 | Type::DateTime(_) => unsigned(u32::from_le_bytes(self.array()?).into()),
            Type::UInt64 => unsigned(self.u64()?),
            Type::Int8 | Type::Enum8(_) => signed(i8::from_le_bytes(self.array()?).into()),
            Type::Int16 => signed(i16::from_le_bytes(self.array()?).into()),
            Type::Int32 | Type::Date32 => signed(i32::from_le_bytes(self.array()?).into()),
            Type::Int64 | Type::DateTime64(..) | Type::Interval(_) => {
                signed(i64::from_le_bytes(self.array()?))
            }
            Type::Float32 => Value::Float(f32::from_le_bytes(self.array()?).into()),
            Type::Float64 => Value::Float(f64::from_le_bytes(self.array()?)),
            Type::Bool => Value::Bool(self.array::<1>()? != [0]),
            Type::String => Value::String(self.text()?),
            Type::FixedString(length) => {
                let length = usize::try_from(*length).unwrap_or(usize::MAX);
                let text = String::from_utf8_lossy(self.take(length)?).into_owned();
                Value::String(text.trim_end_matches('\0').to_owned())
            }
            Type::Uuid => {
                let (high, low) = (self.u64()?, self.u64()?);
                Value::String(uuid::Uuid::from_u64_pair(high, low).to_string())
            }
            Type::Nothing => {
                self.take(1)?;
                Value::Null
            }
            Type::Decimal(..)
            | Type::Nullable(_)
            | Type::LowCardinality(_)
            | Type::Array(_)
            | Type::Tuple(_)
            | Type::Map(..) => {
                return Err(QueryError::new(
                    ErrorCode::NotImplemented,
                    format!("INSERT does not read values of type {ty} in binary formats"),
                ));
            }
        })
    }

    /// A value as RowBinary has it.
    fn value(&mut self, ty: &Type) -> Result<Value> {
        if let Type::LowCardinality(inner) = ty {
            return self.value(inner);
        }
        if let Type::Nullable(inner) = ty {
            return match self.array::<1>()? {
                [0] => self.value(inner),
                _ => Ok(Value::Null),
            };
        }
        if let Type::Array(item) = ty {
            let length = self.length()?;
            let items = (0..length).map(|_| self.value(item));
            return Ok(Value::Array(items.collect::<Result<_>>()?));
        }
        if let Type::Map(key, item) = ty {
            let length = self.length()?;
            let entries = (0..length).map(|_| Ok((self.value(key)?, self.value(item)?)));
            return Ok(Value::Map(entries.collect::<Result<_>>()?));
        }
        if let Type::Tuple(parts) = ty {
            let values = parts.iter().map(|(_, ty)| self.value(ty));
            return Ok(Value::Tuple(values.collect::<Result<_>>()?));
        }
        self.scalar(ty)
    }
}

/// The type that a client names.
pub(super) fn type_of(name: &str) -> Result<Type> {
    name.parse().map_err(|_| {
        QueryError::new(
            ErrorCode::UnknownType,
            format!("Unknown data type family: {name}"),
        )
    })
}

/// Reads rows of values without separators.
pub(super) fn read(data: &[u8], names: Head, rows: &mut Rows) -> Result<()> {
    let mut bytes = Bytes::new(data);
    let mut places = rows.in_order();
    let mut types: Vec<Type> = (0..rows.width()).map(|place| rows.ty(place)).collect();
    if names != Head::None {
        let count = bytes.length()?;
        let names_read = (0..count)
            .map(|_| bytes.text())
            .collect::<Result<Vec<_>>>()?;
        places = rows.named(&names_read);
        if names == Head::NamesAndTypes {
            types = (0..count)
                .map(|_| type_of(&bytes.text()?))
                .collect::<Result<_>>()?;
        } else if let Some(at) = places.iter().position(Option::is_none) {
            let name = names_read.get(at).map_or("", String::as_str);
            return Err(incorrect(format!(
                "Unknown column {name} has no type to be skipped by"
            )));
        } else {
            types = places
                .iter()
                .flatten()
                .map(|place| rows.ty(*place))
                .collect();
        }
    }
    while !bytes.is_empty() {
        let mut row = vec![None; rows.width()];
        for (ty, place) in types.iter().zip(&places) {
            let value = bytes
                .value(ty)
                .map_err(|error| at_row(&error, rows.count()))?;
            let Some(place) = *place else { continue };
            let value = adapt(value, ty, &rows.ty(place), rows.settings.timezone)
                .map_err(|error| at_row(&error, rows.count()))?;
            if let Some(slot) = row.get_mut(place) {
                *slot = Some(value);
            }
        }
        rows.push(row);
    }
    Ok(())
}
