//! Names and what is attached to them: dots, stars, calls with their arguments, `[i]`, `.1` and `::T`.

use super::super::ast::{Apply, Call, Expr, ExprKind, Literal, Star};
use super::super::lexer::TokenKind;
use super::{Parser, Result};

impl Parser<'_> {
    /// What follows `*`: `EXCEPT …`, `REPLACE …`, `APPLY …`.
    pub(super) fn star(&mut self, qualifier: Option<String>) -> Result<Expr> {
        self.star_of(Star {
            qualifier,
            ..Star::default()
        })
    }

    /// `COLUMNS('re')`, `COLUMNS(a, b)`. The cursor stands on the bracket.
    fn columns(&mut self, qualifier: Option<String>) -> Result<Expr> {
        self.expect_symbol("(")?;
        let mut star = Star {
            qualifier,
            ..Star::default()
        };
        if let TokenKind::String(pattern) = self.kind().clone()
            && self.symbol_at(1, ")")
        {
            self.advance();
            self.advance();
            star.pattern = Some(pattern);
        } else {
            star.only = Some(self.arguments(")")?);
        }
        self.star_of(star)
    }

    fn star_of(&mut self, mut star: Star) -> Result<Expr> {
        loop {
            // `EXCEPT SELECT` is a set operation, not a modifier.
            if self.is_word("EXCEPT") && !self.word_at(1, "SELECT") && !self.query_after_bracket(1)
            {
                self.advance();
                self.word("STRICT");
                self.star_except(&mut star)?;
            } else if self.is_word("REPLACE") && !self.symbol_at(1, ",") {
                self.advance();
                self.word("STRICT");
                if self.symbol("(") {
                    star.replace = self.arguments(")")?;
                } else {
                    star.replace.push(self.argument()?);
                }
            } else if self.is_word("APPLY") && !self.symbol_at(1, ",") {
                self.advance();
                let apply = self.applied()?;
                star.apply.push(apply);
            } else {
                return Ok(Expr::new(ExprKind::Star(star)));
            }
        }
    }

    fn star_except(&mut self, star: &mut Star) -> Result<()> {
        if !self.symbol("(") {
            star.except.push(self.identifier()?);
            return Ok(());
        }
        if let TokenKind::String(pattern) = self.kind().clone() {
            self.advance();
            star.except_pattern = Some(pattern);
        } else {
            star.except.append(&mut self.list(Self::identifier)?);
        }
        self.expect_symbol(")")
    }

    /// `(f)`, `f`, `(quantile(0.5))`, `(x -> …)`
    fn applied(&mut self) -> Result<Apply> {
        let brackets = self.symbol("(");
        let expr = self.expression()?;
        if brackets {
            self.expect_symbol(")")?;
        }
        let plain = expr.plain_name();
        match (expr.kind, plain) {
            (_, Some(name)) => Ok(Apply::Function(name, None)),
            (ExprKind::Call(call), _) => Ok(Apply::Function(call.name, Some(call.arguments))),
            (
                ExprKind::Lambda {
                    mut arguments,
                    body,
                },
                _,
            ) if arguments.len() == 1 => {
                Ok(Apply::Lambda(arguments.pop().unwrap_or_default(), *body))
            }
            _ => self.fail("Expected a function or a lambda of one argument"),
        }
    }

    /// A name that was just consumed: a call, or a column with its dotted parts.
    pub(super) fn name_or_call(&mut self, name: String) -> Result<Expr> {
        if self.is_symbol("(") {
            if name.eq_ignore_ascii_case("COLUMNS") {
                return self.nested(|parser| parser.columns(None));
            }
            return self.nested(|parser| parser.call(&name));
        }
        let mut parts = vec![name];
        while self.is_symbol(".") {
            match self.kind_at(1).clone() {
                TokenKind::Word(part) | TokenKind::Quoted(part) => {
                    self.advance();
                    self.advance();
                    if part.eq_ignore_ascii_case("COLUMNS") && self.is_symbol("(") {
                        return self.nested(|parser| parser.columns(Some(parts.join("."))));
                    }
                    parts.push(part);
                }
                TokenKind::Symbol("*") => {
                    self.advance();
                    self.advance();
                    return self.star(Some(parts.join(".")));
                }
                TokenKind::Number(_) => break,
                TokenKind::String(_) | TokenKind::Symbol(_) | TokenKind::End => {
                    self.advance();
                    return self.fail("Expected a name after `.`");
                }
            }
        }
        Ok(Expr::new(ExprKind::Name(parts)))
    }

    fn call(&mut self, name: &str) -> Result<Expr> {
        let mut call = Call::new(name, Vec::new());
        self.expect_symbol("(")?;
        self.call_arguments(&mut call)?;
        if self.is_symbol("(") {
            self.advance();
            call.parameters = Some(std::mem::take(&mut call.arguments));
            self.call_arguments(&mut call)?;
        }
        if self.is_word("FILTER") && self.symbol_at(1, "(") {
            self.advance();
            self.advance();
            self.expect_word("WHERE")?;
            call.filter = Some(self.expression()?);
            self.expect_symbol(")")?;
        }
        if self.is_word("OVER") {
            self.advance();
            call.over = Some(self.over()?);
        }
        Ok(Expr::new(ExprKind::Call(Box::new(call))))
    }

    fn call_arguments(&mut self, call: &mut Call) -> Result<()> {
        if self.is_word("DISTINCT") && !self.symbol_at(1, ",") && !self.symbol_at(1, ")") {
            self.advance();
            call.distinct = true;
        }
        if self.query_after_bracket_inside() {
            let query = self.query()?;
            self.expect_symbol(")")?;
            call.arguments
                .push(Expr::new(ExprKind::Subquery(Box::new(query))));
            return Ok(());
        }
        call.arguments = self.arguments(")")?;
        let is_star =
            |expr: &Expr| matches!(&expr.kind, ExprKind::Star(star) if *star == Star::default());
        if call.name.to_ascii_lowercase().starts_with("count") {
            call.arguments.retain(|argument| !is_star(argument));
        }
        Ok(())
    }

    /// A query directly inside the brackets of a call: `f(SELECT 1)`.
    fn query_after_bracket_inside(&self) -> bool {
        self.is_word("SELECT") && !self.symbol_at(1, ",") && !self.symbol_at(1, ")")
    }

    /// `[i]`, `.1`, `.name`, `::T` after an operand.
    pub(super) fn postfixes(&mut self, mut operand: Expr) -> Result<Expr> {
        let mut links = 0;
        loop {
            if self.is_symbol("[") {
                self.advance();
                let index = self.nested(Self::expression)?;
                self.expect_symbol("]")?;
                operand = Expr::call("arrayElement", vec![operand, index]);
            } else if self.is_symbol(".") {
                self.advance();
                let element = match self.kind().clone() {
                    TokenKind::Number(text) => self.number(&text)?,
                    TokenKind::Word(name) | TokenKind::Quoted(name) => {
                        self.advance();
                        Expr::text(&name)
                    }
                    TokenKind::String(_) | TokenKind::Symbol(_) | TokenKind::End => {
                        return self.fail("Expected a position or a name after `.`");
                    }
                };
                operand = Expr::call("tupleElement", vec![operand, element]);
            } else if self.symbol("::") {
                let ty = self.type_text()?;
                operand = Expr::call("CAST", vec![as_text(operand), Expr::text(&ty)]);
            } else {
                return Ok(operand);
            }
            self.link(&mut links)?;
        }
    }
}

/// The `1` of `1::UInt8` becomes text, as ClickHouse names and reads it.
fn as_text(operand: Expr) -> Expr {
    match &operand.kind {
        ExprKind::Literal(Literal::UInt(value)) => Expr::text(&value.to_string()),
        ExprKind::Literal(Literal::Int(value)) => Expr::text(&value.to_string()),
        ExprKind::Literal(Literal::Float(value)) if value.is_finite() => {
            Expr::text(&value.to_string())
        }
        ExprKind::Literal(_)
        | ExprKind::Name(_)
        | ExprKind::Parameter { .. }
        | ExprKind::Star(_)
        | ExprKind::Call(_)
        | ExprKind::Lambda { .. }
        | ExprKind::Tuple(_)
        | ExprKind::Array(_)
        | ExprKind::Subquery(_) => operand,
    }
}
