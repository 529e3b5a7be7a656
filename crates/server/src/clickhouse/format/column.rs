//! One column of a batch, bound once per batch to its ClickHouse type: the writers then look at
//! slices, not at `dyn Array`.

use arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, ListArray, MapArray, PrimitiveArray,
    StringViewArray, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use cairn_query::Type;

use super::FormatError;
use super::date_time::Zone;
use super::settings::{FormatSettings, Switch, TimeFormat};

/// A column of a batch.
pub(super) struct Column<'a> {
    nulls: Option<&'a NullBuffer>,
    pub(super) values: Values<'a>,
}

/// The values by type. `LowCardinality` and `Nullable` have no variant: they are their inner type.
pub(super) enum Values<'a> {
    UInt8(&'a [u8]),
    UInt16(&'a [u16]),
    UInt32(&'a [u32]),
    UInt64(&'a [u64]),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Bool(&'a BooleanArray),
    String(&'a StringViewArray),
    /// Shorter values are filled up with zero bytes to the length.
    FixedString(&'a StringViewArray, usize),
    Date(&'a [u16]),
    Date32(&'a [i32]),
    DateTime(&'a [u32], Zone, TimeFormat),
    DateTime64(&'a [i64], u8, Zone, TimeFormat),
    Uuid(&'a FixedSizeBinaryArray),
    /// Sorted by number.
    Enum8(&'a [i8], &'a [(String, i8)]),
    Interval(&'a [i64]),
    /// Values, precision, scale, whether trailing zeros are kept.
    Decimal(&'a [i128], u8, u8, bool),
    Array(&'a [i32], Box<Column<'a>>),
    Tuple(Vec<(Option<&'a str>, Column<'a>)>),
    Map(&'a [i32], Box<(Column<'a>, Column<'a>)>),
    Nothing,
}

impl<'a> Column<'a> {
    /// Binds an array to its type. Fails when the array is not the type's physical form.
    pub(super) fn bind(
        ty: &'a Type,
        array: &'a ArrayRef,
        settings: &FormatSettings,
    ) -> Result<Self, FormatError> {
        let values = match ty {
            Type::Nullable(inner) | Type::LowCardinality(inner) => {
                return Self::bind(inner, array, settings);
            }
            Type::UInt8 => Values::UInt8(slice::<UInt8Type>(ty, array)?),
            Type::UInt16 => Values::UInt16(slice::<UInt16Type>(ty, array)?),
            Type::UInt32 => Values::UInt32(slice::<UInt32Type>(ty, array)?),
            Type::UInt64 => Values::UInt64(slice::<UInt64Type>(ty, array)?),
            Type::Int8 => Values::Int8(slice::<Int8Type>(ty, array)?),
            Type::Int16 => Values::Int16(slice::<Int16Type>(ty, array)?),
            Type::Int32 => Values::Int32(slice::<Int32Type>(ty, array)?),
            Type::Int64 => Values::Int64(slice::<Int64Type>(ty, array)?),
            Type::Float32 => Values::Float32(slice::<Float32Type>(ty, array)?),
            Type::Float64 => Values::Float64(slice::<Float64Type>(ty, array)?),
            Type::Bool => Values::Bool(downcast(ty, array)?),
            Type::String => Values::String(downcast(ty, array)?),
            Type::FixedString(length) => Values::FixedString(
                downcast(ty, array)?,
                usize::try_from(*length).unwrap_or(usize::MAX),
            ),
            Type::Date => Values::Date(slice::<UInt16Type>(ty, array)?),
            Type::Date32 => Values::Date32(slice::<Int32Type>(ty, array)?),
            Type::DateTime(zone) => Values::DateTime(
                slice::<UInt32Type>(ty, array)?,
                bind_zone(zone.as_deref(), settings)?,
                settings.time_format,
            ),
            Type::DateTime64(precision, zone) => Values::DateTime64(
                slice::<Int64Type>(ty, array)?,
                *precision,
                bind_zone(zone.as_deref(), settings)?,
                settings.time_format,
            ),
            Type::Uuid => Values::Uuid(downcast(ty, array)?),
            Type::Enum8(names) => Values::Enum8(slice::<Int8Type>(ty, array)?, names),
            Type::Interval(_) => Values::Interval(slice::<Int64Type>(ty, array)?),
            Type::Decimal(precision, scale) => Values::Decimal(
                slice::<Decimal128Type>(ty, array)?,
                *precision,
                *scale,
                settings.switches.has(Switch::TrailingZeros),
            ),
            Type::Array(item) => {
                let list = downcast::<ListArray>(ty, array)?;
                let items = Self::bind(item, list.values(), settings)?;
                Values::Array(list.value_offsets(), Box::new(items))
            }
            Type::Tuple(fields) => Values::Tuple(bind_tuple(ty, fields, array, settings)?),
            Type::Map(key, value) => {
                let map = downcast::<MapArray>(ty, array)?;
                let keys = Self::bind(key, map.keys(), settings)?;
                let values = Self::bind(value, map.values(), settings)?;
                Values::Map(map.value_offsets(), Box::new((keys, values)))
            }
            Type::Nothing => Values::Nothing,
        };
        Ok(Self {
            nulls: array.nulls(),
            values,
        })
    }

    /// Whether the row is NULL.
    pub(super) fn is_null(&self, row: usize) -> bool {
        match self.nulls {
            Some(nulls) => nulls.is_null(row),
            None => matches!(self.values, Values::Nothing),
        }
    }
}

/// The items of row `row` of a list or map.
pub(super) fn item_range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| {
        offsets
            .get(index)
            .and_then(|&offset| usize::try_from(offset).ok())
            .unwrap_or(0)
    };
    at(row)..at(row + 1)
}

fn bind_tuple<'a>(
    ty: &Type,
    fields: &'a [(Option<String>, Type)],
    array: &'a ArrayRef,
    settings: &FormatSettings,
) -> Result<Vec<(Option<&'a str>, Column<'a>)>, FormatError> {
    let parts = downcast::<StructArray>(ty, array)?;
    if parts.num_columns() != fields.len() {
        return Err(FormatError::unexpected(ty, array));
    }
    fields
        .iter()
        .zip(parts.columns())
        .map(|((name, ty), part)| Ok((name.as_deref(), Column::bind(ty, part, settings)?)))
        .collect()
}

fn bind_zone(name: Option<&str>, settings: &FormatSettings) -> Result<Zone, FormatError> {
    let zone = match name {
        None => settings.timezone,
        Some(name) => name
            .parse()
            .map_err(|_| FormatError::UnknownZone(name.to_owned()))?,
    };
    Ok(Zone::new(zone))
}

fn downcast<'a, T: Array + 'static>(ty: &Type, array: &'a ArrayRef) -> Result<&'a T, FormatError> {
    array
        .as_any()
        .downcast_ref()
        .ok_or_else(|| FormatError::unexpected(ty, array))
}

fn slice<'a, T: ArrowPrimitiveType>(
    ty: &Type,
    array: &'a ArrayRef,
) -> Result<&'a [T::Native], FormatError> {
    Ok(downcast::<PrimitiveArray<T>>(ty, array)?.values())
}
