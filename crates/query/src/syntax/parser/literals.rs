//! Numbers, and the bare words that are constants.

use super::super::ast::{Expr, ExprKind, Literal};
use super::super::lexer::TokenKind;
use super::{Parser, Result};

impl Parser<'_> {
    /// `-` directly before a number makes a negative literal.
    pub(super) fn negative_number(&mut self) -> Result<Option<Expr>> {
        let text = match self.kind_at(1) {
            TokenKind::Number(text) => text.clone(),
            TokenKind::Word(word) if is_float_word(word) && !self.symbol_at(2, "(") => word.clone(),
            TokenKind::Word(_)
            | TokenKind::Quoted(_)
            | TokenKind::String(_)
            | TokenKind::Symbol(_)
            | TokenKind::End => return Ok(None),
        };
        let literal = match number(&text) {
            Some(Literal::UInt(value)) => match 0_i64.checked_sub_unsigned(value) {
                Some(negative) => Literal::Int(negative),
                None => Literal::Float(-text.parse::<f64>().unwrap_or(f64::INFINITY)),
            },
            Some(Literal::Float(value)) => Literal::Float(-value),
            Some(Literal::Int(_) | Literal::Null | Literal::Bool(_) | Literal::String(_))
            | None => return self.fail("Expected a number"),
        };
        self.advance();
        self.advance();
        Ok(Some(Expr::new(ExprKind::Literal(literal))))
    }

    /// The number at the cursor.
    pub(super) fn number(&mut self, text: &str) -> Result<Expr> {
        match number(text) {
            Some(literal) => {
                self.advance();
                Ok(Expr::new(ExprKind::Literal(literal)))
            }
            None => self.fail("Expected a number"),
        }
    }

    /// An integer without sign, as LIMIT and frames want it.
    pub(super) fn unsigned(&mut self) -> Result<u64> {
        if let TokenKind::Number(text) = self.kind()
            && let Some(Literal::UInt(value)) = number(text)
        {
            self.advance();
            return Ok(value);
        }
        self.fail("Expected a number without sign")
    }
}

/// `inf`, `nan` and their long forms.
pub(super) fn is_float_word(word: &str) -> bool {
    ["inf", "infinity", "nan"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

/// Reads a number as the lexer delivers it.
pub(super) fn number(text: &str) -> Option<Literal> {
    let lower = text.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        if digits.contains(['.', 'p']) {
            return hex_float(digits).map(Literal::Float);
        }
        return u64::from_str_radix(digits, 16).ok().map(Literal::UInt);
    }
    if let Some(digits) = lower.strip_prefix("0b") {
        return u64::from_str_radix(digits, 2).ok().map(Literal::UInt);
    }
    if let Ok(value) = lower.parse::<u64>() {
        return Some(Literal::UInt(value));
    }
    lower.parse::<f64>().ok().map(Literal::Float)
}

fn hex_float(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once('p').unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut value = 0.0_f64;
    for digit in whole.chars() {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let mut scale = 1.0 / 16.0;
    for digit in fraction.chars() {
        value += f64::from(digit.to_digit(16)?) * scale;
        scale /= 16.0;
    }
    Some(value * 2.0_f64.powi(exponent.parse().ok()?))
}
