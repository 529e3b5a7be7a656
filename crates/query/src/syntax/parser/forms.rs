//! Forms with words of their own inside: CASE, CAST, EXTRACT, TRIM, SUBSTRING, POSITION.

use super::super::ast::{Expr, ExprKind, Literal};
use super::super::lexer::TokenKind;
use super::spans::unit_of;
use super::{Parser, Result};

impl Parser<'_> {
    pub(super) fn case(&mut self) -> Result<Expr> {
        self.advance();
        let subject = if self.is_word("WHEN") {
            None
        } else {
            Some(self.expression()?)
        };
        let mut arguments = Vec::new();
        while self.word("WHEN") {
            arguments.push(self.expression()?);
            self.expect_word("THEN")?;
            arguments.push(self.expression()?);
        }
        if arguments.is_empty() {
            return self.fail("Expected WHEN");
        }
        arguments.push(if self.word("ELSE") {
            self.expression()?
        } else {
            Expr::new(ExprKind::Literal(Literal::Null))
        });
        self.expect_word("END")?;
        Ok(match subject {
            None => Expr::call("multiIf", arguments),
            Some(subject) => {
                arguments.insert(0, subject);
                Expr::call("caseWithExpression", arguments)
            }
        })
    }

    /// Calls whose brackets hold words of their own. The cursor stands on the name.
    pub(super) fn special_call(&mut self, upper: &str) -> Result<Option<Expr>> {
        let form: fn(&mut Self) -> Result<Option<Expr>> = match upper {
            "CAST" | "_CAST" | "TRY_CAST" => Self::cast,
            "EXTRACT" => Self::extract,
            "TRIM" => Self::trim,
            "SUBSTRING" | "SUBSTR" | "MID" => Self::substring,
            "POSITION" => Self::position_in,
            "DATE_ADD" | "DATEADD" | "TIMESTAMP_ADD" | "TIMESTAMPADD" => {
                |parser| parser.date_add("plus")
            }
            "DATE_SUB" | "DATESUB" | "TIMESTAMP_SUB" | "TIMESTAMPSUB" => {
                |parser| parser.date_add("minus")
            }
            "DATE_DIFF" | "DATEDIFF" | "TIMESTAMP_DIFF" | "TIMESTAMPDIFF" => Self::date_diff,
            _ => return Ok(None),
        };
        let start = self.at;
        let found = self.nested(form)?;
        if found.is_none() {
            self.at = start;
        }
        Ok(found)
    }

    /// `CAST(x AS T)`; `CAST(x, 'T')` is an ordinary call.
    fn cast(&mut self) -> Result<Option<Expr>> {
        let TokenKind::Word(name) = self.kind().clone() else {
            return Ok(None);
        };
        self.advance();
        self.advance();
        let mut value = self.expression()?;
        if self.symbol(",") {
            let ty = self.argument()?;
            self.expect_symbol(")")?;
            return Ok(Some(Expr::call(&name, vec![value, ty])));
        }
        self.expect_word("AS")?;
        // `CAST(x AS alias AS T)` names the value.
        let before = self.at;
        if let Ok(alias) = self.identifier()
            && self.word("AS")
        {
            value.alias = Some(alias);
        } else {
            self.at = before;
        }
        let ty = self.type_text()?;
        self.expect_symbol(")")?;
        Ok(Some(Expr::call(&name, vec![value, Expr::text(&ty)])))
    }

    /// `EXTRACT(YEAR FROM d)`.
    fn extract(&mut self) -> Result<Option<Expr>> {
        self.advance();
        self.advance();
        let unit = match self.kind() {
            TokenKind::Word(word) if self.word_at(1, "FROM") => unit_of(word),
            TokenKind::Word(_)
            | TokenKind::Quoted(_)
            | TokenKind::Number(_)
            | TokenKind::String(_)
            | TokenKind::Symbol(_)
            | TokenKind::End => None,
        };
        let Some(unit) = unit else {
            return Ok(None);
        };
        self.advance();
        self.advance();
        let value = self.expression()?;
        self.expect_symbol(")")?;
        let function = match unit {
            "Day" => "toDayOfMonth".to_owned(),
            "Week" => "toISOWeek".to_owned(),
            unit => format!("to{unit}"),
        };
        Ok(Some(Expr::call(&function, vec![value])))
    }

    /// `trim(BOTH 'x' FROM s)`; plain `trim(s)` as well, because both get the same name.
    fn trim(&mut self) -> Result<Option<Expr>> {
        self.advance();
        self.advance();
        let function = if self.word("LEADING") {
            "trimLeft"
        } else if self.word("TRAILING") {
            "trimRight"
        } else {
            self.word("BOTH");
            "trimBoth"
        };
        let first = self.argument()?;
        let arguments = if self.word("FROM") {
            vec![self.argument()?, first]
        } else if self.symbol(",") {
            vec![first, self.argument()?]
        } else {
            vec![first]
        };
        self.expect_symbol(")")?;
        Ok(Some(Expr::call(function, arguments)))
    }

    /// `SUBSTRING(s FROM a FOR b)`.
    fn substring(&mut self) -> Result<Option<Expr>> {
        self.advance();
        self.advance();
        let value = self.argument()?;
        if !self.word("FROM") {
            return Ok(None);
        }
        let mut arguments = vec![value, self.expression()?];
        if self.word("FOR") {
            arguments.push(self.expression()?);
        }
        self.expect_symbol(")")?;
        Ok(Some(Expr::call("substring", arguments)))
    }

    /// `POSITION(needle IN haystack)`.
    fn position_in(&mut self) -> Result<Option<Expr>> {
        self.advance();
        self.advance();
        let inner = self.expression()?;
        if !self.symbol(")") || inner.alias.is_some() {
            return Ok(None);
        }
        Ok(match inner.kind {
            ExprKind::Call(call) if call.name == "in" && call.arguments.len() == 2 => {
                let mut arguments = call.arguments;
                arguments.reverse();
                Some(Expr::call("position", arguments))
            }
            ExprKind::Call(_)
            | ExprKind::Literal(_)
            | ExprKind::Name(_)
            | ExprKind::Parameter { .. }
            | ExprKind::Star(_)
            | ExprKind::Lambda { .. }
            | ExprKind::Tuple(_)
            | ExprKind::Array(_)
            | ExprKind::Subquery(_) => None,
        })
    }
}
