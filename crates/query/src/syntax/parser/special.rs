//! Operands: literals, names, brackets, calls, and the forms with words inside (CASE, CAST, INTERVAL, EXTRACT, TRIM …).

use super::super::ast::{Call, Expr, ExprKind, Literal, Star};
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
fn unit_of(word: &str) -> Option<&'static str> {
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

    /// What follows `*`: `EXCEPT …`, `REPLACE …`.
    fn star(&mut self, qualifier: Option<String>) -> Result<Expr> {
        let mut star = Star {
            qualifier,
            ..Star::default()
        };
        loop {
            // `EXCEPT SELECT` is a set operation, not a modifier.
            if self.is_word("EXCEPT") && !self.word_at(1, "SELECT") && !self.query_after_bracket(1)
            {
                self.advance();
                if self.symbol("(") {
                    star.except.append(&mut self.list(Self::identifier)?);
                    self.expect_symbol(")")?;
                } else {
                    star.except.push(self.identifier()?);
                }
            } else if self.is_word("REPLACE") && self.symbol_at(1, "(") {
                self.advance();
                self.advance();
                star.replace = self.arguments(")")?;
            } else {
                return Ok(Expr::new(ExprKind::Star(star)));
            }
        }
    }

    /// A name that was just consumed: a call, or a column with its dotted parts.
    fn name_or_call(&mut self, name: String) -> Result<Expr> {
        if self.is_symbol("(") {
            return self.nested(|parser| parser.call(&name));
        }
        let mut parts = vec![name];
        while self.is_symbol(".") {
            match self.kind_at(1).clone() {
                TokenKind::Word(part) | TokenKind::Quoted(part) => {
                    self.advance();
                    self.advance();
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

    fn case(&mut self) -> Result<Expr> {
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

    /// `INTERVAL 1 DAY`, `INTERVAL '1 day 2 hours'`.
    fn interval(&mut self) -> Result<Expr> {
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

    fn unit(&mut self) -> Result<&'static str> {
        if let TokenKind::Word(word) = self.kind()
            && let Some(unit) = unit_of(word)
        {
            self.advance();
            return Ok(unit);
        }
        self.fail("Expected a unit of time: SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR")
    }

    /// Calls whose brackets hold words of their own. The cursor stands on the name.
    fn special_call(&mut self, upper: &str) -> Result<Option<Expr>> {
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

    /// `date_add(DAY, 1, d)` and `date_add(d, INTERVAL 1 DAY)`.
    fn date_add(&mut self, function: &str) -> Result<Option<Expr>> {
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
    fn date_diff(&mut self) -> Result<Option<Expr>> {
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
