//! Type names inside queries, kept as text, and query parameters.

use super::super::ast::{Expr, ExprKind};
use super::super::lexer::TokenKind;
use super::{Parser, Result};
use crate::error::{ErrorCode, QueryError};

impl Parser<'_> {
    /// A type as text: `DateTime64(9, 'UTC')`.
    pub(super) fn type_text(&mut self) -> Result<String> {
        self.nested(|parser| {
            let mut text = parser.identifier()?;
            // `DOUBLE PRECISION`, `INT UNSIGNED`, `CHAR VARYING`.
            while parser.is_any_word(&[
                "PRECISION",
                "UNSIGNED",
                "SIGNED",
                "VARYING",
                "LARGE",
                "OBJECT",
            ]) {
                text.push(' ');
                text.push_str(&parser.identifier()?);
            }
            if parser.symbol("(") {
                text.push('(');
                let mut first = true;
                while !parser.symbol(")") {
                    if !first {
                        parser.expect_symbol(",")?;
                        text.push_str(", ");
                    }
                    first = false;
                    text.push_str(&parser.type_argument()?);
                }
                text.push(')');
            }
            Ok(text)
        })
    }

    /// A number, a text, `'name' = 1`, a type, or a named type.
    fn type_argument(&mut self) -> Result<String> {
        match self.kind().clone() {
            TokenKind::Number(text) => {
                self.advance();
                Ok(text)
            }
            TokenKind::String(text) => {
                self.advance();
                let mut quoted = super::super::print::quoted(&text);
                if self.symbol("=") {
                    let sign = if self.symbol("-") { "-" } else { "" };
                    quoted.push_str(&format!(" = {sign}{}", self.unsigned()?));
                }
                Ok(quoted)
            }
            TokenKind::Word(_) | TokenKind::Quoted(_) => {
                let named = matches!(self.kind_at(1), TokenKind::Word(_) | TokenKind::Quoted(_));
                if named {
                    let name = self.identifier()?;
                    return Ok(format!("{name} {}", self.type_text()?));
                }
                self.type_text()
            }
            TokenKind::Symbol(_) | TokenKind::End => self.fail("Expected a type"),
        }
    }

    /// The name and type of `{name:Type}`, and the value that came with the request.
    fn parameter_parts(&mut self) -> Result<(String, String)> {
        self.expect_symbol("{")?;
        let name = self.identifier()?;
        self.expect_symbol(":")?;
        let ty = self.type_text()?;
        self.expect_symbol("}")?;
        match self.parameters.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => Ok((ty, value.clone())),
            None => Err(QueryError::new(
                ErrorCode::UnknownQueryParameter,
                format!("Substitution `{name}` is not set"),
            )),
        }
    }

    /// `{name:Identifier}` where a name is wanted.
    pub(super) fn identifier_parameter(&mut self) -> Result<String> {
        let (ty, value) = self.parameter_parts()?;
        if ty == "Identifier" {
            Ok(value)
        } else {
            self.fail("Expected a parameter of type Identifier")
        }
    }

    /// `{name:Type}` in an expression.
    pub(super) fn parameter(&mut self) -> Result<Expr> {
        let (ty, value) = self.parameter_parts()?;
        if ty != "Identifier" {
            return Ok(Expr::new(ExprKind::Parameter { ty, value }));
        }
        let mut parts = vec![value];
        while self.symbol(".") {
            parts.push(self.identifier()?);
        }
        Ok(Expr::new(ExprKind::Name(parts)))
    }
}
