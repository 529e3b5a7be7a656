//! Reading names of types, with ClickHouse's aliases.

use std::str::FromStr;

use super::{IntervalUnit, Type};
use crate::error::{ErrorCode, QueryError, Result};
use crate::limits::{MAX_TYPE_BYTES, MAX_TYPE_DEPTH};

impl FromStr for Type {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self> {
        if text.len() > MAX_TYPE_BYTES {
            return Err(unknown("the type name is too long"));
        }
        let mut reader = Reader { text, at: 0 };
        let ty = reader.read_type(0)?;
        reader.skip_space();
        if reader.at < text.len() {
            return Err(unknown(&format!("unexpected text after the type `{ty}`")));
        }
        Ok(ty)
    }
}

fn unknown(what: &str) -> QueryError {
    QueryError::new(ErrorCode::UnknownType, format!("Unknown data type: {what}"))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, symbol: char) -> bool {
        self.skip_space();
        if self.rest().starts_with(symbol) {
            self.at += symbol.len_utf8();
            return true;
        }
        false
    }

    fn expect(&mut self, symbol: char) -> Result<()> {
        if self.take(symbol) {
            return Ok(());
        }
        Err(unknown(&format!("expected `{symbol}` in `{}`", self.text)))
    }

    fn word(&mut self) -> Result<&'a str> {
        self.skip_space();
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if end == 0 {
            return Err(unknown(&format!("expected a type name in `{}`", self.text)));
        }
        self.at += end;
        Ok(rest.get(..end).unwrap_or_default())
    }

    fn number<N: FromStr>(&mut self) -> Result<N> {
        self.skip_space();
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '-')
            .unwrap_or(rest.len());
        self.at += end;
        rest.get(..end)
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| unknown(&format!("expected a number in `{}`", self.text)))
    }

    /// A quoted string, quote given (`'` or a backtick).
    fn quoted(&mut self, quote: char) -> Result<String> {
        self.expect(quote)?;
        let mut out = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((i, c)) = chars.next() {
            if c == quote {
                self.at += i + c.len_utf8();
                return Ok(out);
            }
            if c == '\\' {
                match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 't')) => out.push('\t'),
                    Some((_, other)) => out.push(other),
                    None => break,
                }
            } else {
                out.push(c);
            }
        }
        Err(unknown(&format!("unfinished string in `{}`", self.text)))
    }

    fn read_type(&mut self, depth: usize) -> Result<Type> {
        if depth > MAX_TYPE_DEPTH {
            return Err(unknown("the type is nested too deeply"));
        }
        let word = self.word()?;
        if let Some(simple) = simple_type(word) {
            self.skip_length(word)?;
            return Ok(simple);
        }
        match word {
            "Nullable" => self.wrapped(depth, nullable),
            "LowCardinality" => self.wrapped(depth, |ty| Ok(Type::LowCardinality(Box::new(ty)))),
            "Array" => self.wrapped(depth, |ty| Ok(Type::Array(Box::new(ty)))),
            "Map" => self.map(depth),
            "Tuple" => self.tuple(depth),
            "Nested" => Ok(Type::Array(Box::new(self.tuple(depth)?))),
            "Enum8" | "Enum" => self.enumeration(),
            "FixedString" => {
                self.expect('(')?;
                let bytes = self.number()?;
                self.expect(')')?;
                Ok(Type::FixedString(bytes))
            }
            "Decimal" | "DECIMAL" | "NUMERIC" | "Decimal32" | "Decimal64" | "Decimal128" => {
                self.decimal(word)
            }
            _ => self.date_time(word),
        }
    }

    fn date_time(&mut self, word: &str) -> Result<Type> {
        if word == "DateTime64" {
            if !self.take('(') {
                return Ok(Type::DateTime64(3, None));
            }
            let scale: u8 = self.number()?;
            if scale > 9 {
                return Err(QueryError::new(
                    ErrorCode::ArgumentOutOfBound,
                    format!("Scale {scale} is too large for DateTime64, maximum is 9"),
                ));
            }
            let zone = if self.take(',') {
                Some(self.zone()?)
            } else {
                None
            };
            self.expect(')')?;
            return Ok(Type::DateTime64(scale, zone));
        }
        let known = matches!(word, "DateTime" | "DateTime32")
            || word.eq_ignore_ascii_case("timestamp")
            || word.eq_ignore_ascii_case("datetime");
        if !known {
            return Err(unknown(&format!("unknown data type family `{word}`")));
        }
        let zone = if self.take('(') {
            let zone = self.zone()?;
            self.expect(')')?;
            Some(zone)
        } else {
            None
        };
        Ok(Type::DateTime(zone))
    }

    fn zone(&mut self) -> Result<String> {
        let zone = self.quoted('\'')?;
        if zone.parse::<chrono_tz::Tz>().is_err() {
            return Err(QueryError::new(
                ErrorCode::BadArguments,
                format!("Cannot load time zone {zone}"),
            ));
        }
        Ok(zone)
    }

    /// SQL names such as `VARCHAR(255)` may carry a length, which means nothing.
    fn skip_length(&mut self, word: &str) -> Result<()> {
        let first_letters_upper = word.len() > 1 && word.chars().all(|c| !c.is_ascii_lowercase());
        if first_letters_upper && self.take('(') {
            let _length: u64 = self.number()?;
            self.expect(')')?;
        }
        Ok(())
    }

    fn wrapped(&mut self, depth: usize, wrap: fn(Type) -> Result<Type>) -> Result<Type> {
        self.expect('(')?;
        let inner = self.read_type(depth + 1)?;
        self.expect(')')?;
        wrap(inner)
    }

    fn map(&mut self, depth: usize) -> Result<Type> {
        self.expect('(')?;
        let key = self.read_type(depth + 1)?;
        self.expect(',')?;
        let value = self.read_type(depth + 1)?;
        self.expect(')')?;
        Ok(Type::Map(Box::new(key), Box::new(value)))
    }

    fn tuple(&mut self, depth: usize) -> Result<Type> {
        self.expect('(')?;
        let mut items = Vec::new();
        if self.take(')') {
            return Ok(Type::Tuple(items));
        }
        loop {
            items.push(self.tuple_item(depth)?);
            if !self.take(',') {
                break;
            }
        }
        self.expect(')')?;
        Ok(Type::Tuple(items))
    }

    fn tuple_item(&mut self, depth: usize) -> Result<(Option<String>, Type)> {
        self.skip_space();
        if self.rest().starts_with('`') {
            let name = self.quoted('`')?;
            return Ok((Some(name), self.read_type(depth + 1)?));
        }
        let start = self.at;
        let word = self.word()?;
        self.skip_space();
        let named = self
            .rest()
            .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if named {
            return Ok((Some(word.to_owned()), self.read_type(depth + 1)?));
        }
        self.at = start;
        Ok((None, self.read_type(depth + 1)?))
    }

    fn enumeration(&mut self) -> Result<Type> {
        self.expect('(')?;
        let mut items: Vec<(String, i8)> = Vec::new();
        loop {
            let name = self.quoted('\'')?;
            let number = if self.take('=') {
                self.number()?
            } else {
                items.last().map_or(1, |(_, last)| last.saturating_add(1))
            };
            items.push((name, number));
            if !self.take(',') {
                break;
            }
        }
        self.expect(')')?;
        items.sort_by_key(|(_, number)| *number);
        Ok(Type::Enum8(items))
    }

    fn decimal(&mut self, word: &str) -> Result<Type> {
        let fixed = match word {
            "Decimal32" => Some(9),
            "Decimal64" => Some(18),
            "Decimal128" => Some(38),
            _ => None,
        };
        if fixed.is_none() && !self.take('(') {
            return Ok(Type::Decimal(10, 0));
        }
        let (precision, scale) = match fixed {
            Some(precision) => {
                self.expect('(')?;
                (precision, self.number()?)
            }
            None => {
                let precision = self.number()?;
                let scale = if self.take(',') { self.number()? } else { 0 };
                (precision, scale)
            }
        };
        self.expect(')')?;
        if precision == 0 || precision > 38 || scale > precision {
            return Err(QueryError::new(
                ErrorCode::ArgumentOutOfBound,
                format!("Decimal({precision}, {scale}) is out of bounds: at most 38 digits"),
            ));
        }
        Ok(Type::Decimal(precision, scale))
    }
}

fn nullable(inner: Type) -> Result<Type> {
    if !inner.can_be_nullable() {
        return Err(QueryError::new(
            ErrorCode::IllegalTypeOfArgument,
            format!("Nested type {inner} cannot be inside Nullable type"),
        ));
    }
    Ok(Type::Nullable(Box::new(inner)))
}

/// Types without parameters, by ClickHouse's name or an SQL alias.
fn simple_type(word: &str) -> Option<Type> {
    if let Some(unit) = word.strip_prefix("Interval") {
        return IntervalUnit::ALL
            .into_iter()
            .find(|u| u.name() == unit)
            .map(Type::Interval);
    }
    let exact = match word {
        "UInt8" => Type::UInt8,
        "UInt16" => Type::UInt16,
        "UInt32" => Type::UInt32,
        "UInt64" => Type::UInt64,
        "Int8" => Type::Int8,
        "Int16" => Type::Int16,
        "Int32" => Type::Int32,
        "Int64" => Type::Int64,
        "Float32" => Type::Float32,
        "Float64" => Type::Float64,
        "String" => Type::String,
        "UUID" => Type::Uuid,
        "Nothing" => Type::Nothing,
        "Date32" => Type::Date32,
        _ => return sql_type(&word.to_ascii_lowercase()),
    };
    Some(exact)
}

fn sql_type(lower: &str) -> Option<Type> {
    Some(match lower {
        "bool" | "boolean" => Type::Bool,
        "date" => Type::Date,
        "tinyint" | "int1" | "byte" => Type::Int8,
        "smallint" => Type::Int16,
        "int" | "integer" => Type::Int32,
        "bigint" => Type::Int64,
        "float" | "real" => Type::Float32,
        "double" => Type::Float64,
        "text" | "varchar" | "char" | "blob" | "longtext" | "mediumtext" | "tinytext"
        | "varchar2" | "character" | "clob" | "bytea" => Type::String,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, printed: &str) {
        let ty: Type = text.parse().unwrap();
        assert_eq!(ty.to_string(), printed);
        assert_eq!(printed.parse::<Type>().unwrap(), ty);
    }

    #[test]
    fn names_print_as_clickhouse_prints_them() {
        check("UInt8", "UInt8");
        check("DateTime64( 9 ,'UTC')", "DateTime64(9, 'UTC')");
        check("DateTime('Asia/Tokyo')", "DateTime('Asia/Tokyo')");
        check("DateTime", "DateTime");
        check(
            "Map(LowCardinality(String),String)",
            "Map(LowCardinality(String), String)",
        );
        check(
            "Tuple(x UInt8, `y z` Array(Nullable(String)))",
            "Tuple(x UInt8, `y z` Array(Nullable(String)))",
        );
        check("Tuple(UInt8,String)", "Tuple(UInt8, String)");
        check("Enum8('b\\'' = -2,'a'=1)", "Enum8('b\\'' = -2, 'a' = 1)");
        check("Decimal(9,2)", "Decimal(9, 2)");
        check("Decimal64(3)", "Decimal(18, 3)");
        check("IntervalDay", "IntervalDay");
        check("FixedString(16)", "FixedString(16)");
    }

    #[test]
    fn sql_names_are_aliases() {
        check("BIGINT", "Int64");
        check("varchar", "String");
        check("VARCHAR(255)", "String");
        check("TIMESTAMP", "DateTime");
        check("bool", "Bool");
        check("DOUBLE", "Float64");
    }

    #[test]
    fn nonsense_is_an_unknown_type() {
        for text in [
            "",
            "Foo",
            "Array(",
            "Array(UInt8",
            "UInt8 x",
            "Nullable(Array(UInt8))",
            "DateTime('Nowhere/X')",
            "DateTime64(12)",
            "Enum8('a",
            "Tuple(`",
        ] {
            assert!(text.parse::<Type>().is_err(), "{text}");
        }
        let deep = "Array(".repeat(100) + "UInt8" + &")".repeat(100);
        assert_eq!(
            deep.parse::<Type>().unwrap_err().code,
            ErrorCode::UnknownType
        );
    }
}
