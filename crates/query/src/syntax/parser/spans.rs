//! Spans of time: INTERVAL, units, and the calls that add or compare them.

use super::super::ast::{Expr, ExprKind, Literal};
use super::super::lexer::TokenKind;
use super::{Parser, Result};

/// Interval units with the function that makes them.
const UNITS: [(&str, &str); 11] = [
    ("NANOSECOND", "Nanosecond"),
    ("MICROSECOND", "Microsecond"),
    ("MILLISECOND", "Millisecond"),
    ("SECOND", "Second"),
    ("MINUTE", "Minute"),
    ("HOUR", "Hour"),
    ("DAY", "Day"),
    ("WEEK", "Week"),
    ("MONTH", "Month"),
    ("QUARTER", "Quarter"),
    ("YEAR", "Year"),
];

/// `DAY`, `days`, `SQL_TSI_DAY`, `d` … to `Day`.
pub(super) fn unit_of(word: &str) -> Option<&'static str> {
    let upper = word.to_ascii_uppercase();
    let plain = upper.strip_prefix("SQL_TSI_").unwrap_or(&upper);
    let short = match plain {
        "NS" => "NANOSECOND",
        "US" => "MICROSECOND",
        "MS" => "MILLISECOND",
        "S" | "SS" => "SECOND",
        "MI" | "N" => "MINUTE",
        "HH" | "H" => "HOUR",
        "DD" | "D" => "DAY",
        "WW" | "WK" | "W" => "WEEK",
        "MM" | "M" => "MONTH",
        "QQ" | "Q" => "QUARTER",
        "YY" | "YYYY" => "YEAR",
        other => other.strip_suffix('S').unwrap_or(other),
    };
    UNITS
        .iter()
        .find(|(name, _)| *name == short)
        .map(|(_, unit)| *unit)
}

impl Parser<'_> {
    /// `INTERVAL 1 DAY`, `INTERVAL '1 day 2 hours'`.
    pub(super) fn interval(&mut self) -> Result<Expr> {
        self.advance();
        if let TokenKind::String(text) = self.kind().clone()
            && !matches!(self.kind_at(1), TokenKind::Word(word) if unit_of(word).is_some())
        {
            let parts = interval_parts(&text);
            let Some(mut parts) = parts else {
                return self.fail("Expected an interval such as '1 day 2 hours'");
            };
            self.advance();
            return Ok(match parts.pop() {
                Some(only) if parts.is_empty() => only,
                last => {
                    parts.extend(last);
                    Expr::new(ExprKind::Tuple(parts))
                }
            });
        }
        let amount = self.expression()?;
        let unit = self.unit()?;
        Ok(Expr::call(&format!("toInterval{unit}"), vec![amount]))
    }

    pub(super) fn unit(&mut self) -> Result<&'static str> {
        if let TokenKind::Word(word) = self.kind()
            && let Some(unit) = unit_of(word)
        {
            self.advance();
            return Ok(unit);
        }
        self.fail("Expected a unit of time: SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR")
    }

    /// `date_add(DAY, 1, d)` and `date_add(d, INTERVAL 1 DAY)`.
    pub(super) fn date_add(&mut self, function: &str) -> Result<Option<Expr>> {
        self.advance();
        self.advance();
        if matches!(self.kind(), TokenKind::Word(_)) && self.symbol_at(1, ",") {
            let unit = self.unit()?;
            self.expect_symbol(",")?;
            let amount = self.expression()?;
            self.expect_symbol(",")?;
            let date = self.expression()?;
            self.expect_symbol(")")?;
            let interval = Expr::call(&format!("toInterval{unit}"), vec![amount]);
            return Ok(Some(Expr::call(function, vec![date, interval])));
        }
        let date = self.expression()?;
        self.expect_symbol(",")?;
        let interval = self.expression()?;
        if !self.symbol(")") {
            return Ok(None);
        }
        Ok(Some(Expr::call(function, vec![date, interval])))
    }

    /// `date_diff(DAY, a, b)` with a bare unit.
    pub(super) fn date_diff(&mut self) -> Result<Option<Expr>> {
        self.advance();
        self.advance();
        let bare = matches!(self.kind(), TokenKind::Word(word) if unit_of(word).is_some())
            && self.symbol_at(1, ",");
        let unit = if bare {
            Expr::text(&self.unit()?.to_ascii_lowercase())
        } else {
            self.expression()?
        };
        self.expect_symbol(",")?;
        let mut arguments = vec![unit];
        arguments.append(&mut self.arguments(")")?);
        Ok(Some(Expr::call("dateDiff", arguments)))
    }
}

/// `1 day 2 hours` as calls.
fn interval_parts(text: &str) -> Option<Vec<Expr>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.chunks_exact(2);
    if words.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| {
            let amount = pair.first()?.parse::<i64>().ok()?;
            let unit = unit_of(pair.get(1)?)?;
            let literal = match u64::try_from(amount) {
                Ok(amount) => Literal::UInt(amount),
                Err(_) => Literal::Int(amount),
            };
            let amount = Expr::new(ExprKind::Literal(literal));
            Some(Expr::call(&format!("toInterval{unit}"), vec![amount]))
        })
        .collect()
}
