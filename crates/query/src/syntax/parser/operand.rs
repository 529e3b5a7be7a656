//! Operands: literals, names, brackets, braces, and which words begin something else.

use super::super::ast::{Expr, ExprKind, Literal};
use super::super::lexer::TokenKind;
use super::literals::is_float_word;
use super::{Parser, Result};

/// Words after which an implicit alias would swallow the next clause.
const NEVER_ALIAS: [&str; 60] = [
    "ALL",
    "AND",
    "ANTI",
    "ANY",
    "ARRAY",
    "AS",
    "ASC",
    "ASCENDING",
    "ASOF",
    "BETWEEN",
    "BY",
    "CROSS",
    "DESC",
    "DESCENDING",
    "DIV",
    "ELSE",
    "END",
    "EXCEPT",
    "FETCH",
    "FILL",
    "FINAL",
    "FORMAT",
    "FROM",
    "FULL",
    "GLOBAL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERPOLATE",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MOD",
    "NOT",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "PREWHERE",
    "QUALIFY",
    "REGEXP",
    "RIGHT",
    "SAMPLE",
    "SELECT",
    "SEMI",
    "SETTINGS",
    "THEN",
    "UNION",
    "USING",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

impl Parser<'_> {
    /// Whether the current token can be an alias without AS.
    pub(super) fn is_bare_alias(&self) -> bool {
        match self.kind() {
            TokenKind::Quoted(_) => true,
            TokenKind::Word(_) => !self.is_any_word(&NEVER_ALIAS),
            TokenKind::Number(_) | TokenKind::String(_) | TokenKind::Symbol(_) | TokenKind::End => {
                false
            }
        }
    }

    /// A literal, name, bracket or call, without postfixes.
    pub(super) fn operand(&mut self) -> Result<Expr> {
        match self.kind().clone() {
            TokenKind::Number(text) => self.number(&text),
            TokenKind::String(text) => {
                self.advance();
                Ok(Expr::text(&text))
            }
            TokenKind::Quoted(name) => {
                self.advance();
                self.name_or_call(name)
            }
            TokenKind::Word(word) => self.word_operand(word),
            TokenKind::Symbol("(") => self.brackets(),
            TokenKind::Symbol("[") => {
                self.advance();
                let items = self.nested(|parser| parser.arguments("]"))?;
                Ok(Expr::new(ExprKind::Array(items)))
            }
            TokenKind::Symbol("{") => self.braces(),
            TokenKind::Symbol("*") => {
                self.advance();
                self.star(None)
            }
            TokenKind::Symbol(_) | TokenKind::End => self.fail("Expected an expression"),
        }
    }

    fn word_operand(&mut self, word: String) -> Result<Expr> {
        let upper = word.to_ascii_uppercase();
        if !self.symbol_at(1, "(") {
            if let Some(expr) = self.constant_word(&upper) {
                return Ok(expr);
            }
            if let Some(expr) = self.typed_literal(&upper)? {
                return Ok(expr);
            }
        }
        match upper.as_str() {
            "CASE" if !self.ends_after_word() => return self.nested(Self::case),
            "INTERVAL" if !self.ends_after_word() && !self.symbol_at(1, ".") => {
                return self.nested(Self::interval);
            }
            "EXISTS" if self.symbol_at(1, "(") && self.query_after_bracket(1) => {
                self.advance();
                let query = self.brackets()?;
                return Ok(Expr::call("exists", vec![query]));
            }
            "FROM" | "WHERE" => return self.fail("Expected an expression"),
            _ => {}
        }
        if self.symbol_at(1, "(")
            && let Some(expr) = self.special_call(&upper)?
        {
            return Ok(expr);
        }
        self.advance();
        self.name_or_call(word)
    }

    /// Whether nothing that could begin an expression follows the current word.
    fn ends_after_word(&self) -> bool {
        match self.kind_at(1) {
            TokenKind::End => true,
            TokenKind::Symbol(symbol) => !matches!(*symbol, "(" | "[" | "-" | "+" | "{"),
            TokenKind::Word(word) => word.eq_ignore_ascii_case("FROM"),
            TokenKind::Quoted(_) | TokenKind::Number(_) | TokenKind::String(_) => false,
        }
    }

    fn constant_word(&mut self, upper: &str) -> Option<Expr> {
        let literal = match upper {
            "NULL" => Literal::Null,
            "TRUE" => Literal::Bool(true),
            "FALSE" => Literal::Bool(false),
            word if is_float_word(word) && !self.symbol_at(1, ".") => {
                Literal::Float(if word == "NAN" {
                    f64::NAN
                } else {
                    f64::INFINITY
                })
            }
            _ => return None,
        };
        self.advance();
        Some(Expr::new(ExprKind::Literal(literal)))
    }

    /// `DATE '…'` and `TIMESTAMP '…'`.
    fn typed_literal(&mut self, upper: &str) -> Result<Option<Expr>> {
        let function = match upper {
            "DATE" => "toDate",
            "TIMESTAMP" => "toDateTime",
            _ => return Ok(None),
        };
        let TokenKind::String(text) = self.kind_at(1).clone() else {
            return Ok(None);
        };
        self.advance();
        self.advance();
        Ok(Some(Expr::call(function, vec![Expr::text(&text)])))
    }

    /// `(…)`: a query, a tuple, or one expression.
    fn brackets(&mut self) -> Result<Expr> {
        self.nested(|parser| {
            if parser.query_after_bracket(0) {
                parser.expect_symbol("(")?;
                let query = parser.query()?;
                parser.expect_symbol(")")?;
                return Ok(Expr::new(ExprKind::Subquery(Box::new(query))));
            }
            parser.expect_symbol("(")?;
            if parser.symbol(")") {
                return Ok(Expr::new(ExprKind::Tuple(Vec::new())));
            }
            let first = parser.argument()?;
            if parser.symbol(")") {
                return Ok(first);
            }
            parser.expect_symbol(",")?;
            let mut items = vec![first];
            items.append(&mut parser.arguments(")")?);
            Ok(Expr::new(ExprKind::Tuple(items)))
        })
    }

    /// Whether `(` stands `ahead` and a query follows, perhaps in more brackets.
    pub(super) fn query_after_bracket(&self, ahead: usize) -> bool {
        let mut at = ahead;
        if !self.symbol_at(at, "(") {
            return false;
        }
        while self.symbol_at(at, "(") {
            at += 1;
        }
        if self.word_at(at, "SELECT") {
            return !self.symbol_at(at + 1, ",") && !self.symbol_at(at + 1, ")");
        }
        // `WITH` begins a query unless it is a plain name; `(FROM t SELECT x)` is one too.
        self.word_at(at, "WITH") && !self.symbol_at(at + 1, ",") && !self.symbol_at(at + 1, ")")
            || self.word_at(at, "FROM") && !self.symbol_at(at + 1, ")")
    }

    /// `{name:Type}` or `{'key': value}`.
    fn braces(&mut self) -> Result<Expr> {
        if matches!(self.kind_at(1), TokenKind::Word(_) | TokenKind::Quoted(_)) {
            return self.parameter();
        }
        self.advance();
        self.nested(|parser| {
            let mut items = Vec::new();
            while !parser.symbol("}") {
                items.push(parser.expression()?);
                parser.expect_symbol(":")?;
                items.push(parser.expression()?);
                if !parser.symbol(",") && !parser.is_symbol("}") {
                    return parser.fail("Expected `,` or `}`");
                }
            }
            Ok(Expr::call("map", items))
        })
    }
}
