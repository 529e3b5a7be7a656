//! Expressions by operator precedence. An operator becomes a call of the function it stands for; AND, OR and `||` become
//! one call with many arguments.

use super::super::ast::{Call, Expr, ExprKind};
use super::super::lexer::TokenKind;
use super::{Parser, Result};
use crate::error::{ErrorCode, QueryError};
use crate::limits::MAX_LIST_ITEMS;

/// How tightly operators bind.
mod binding {
    pub(super) const LAMBDA: u8 = 1;
    pub(super) const TERNARY: u8 = 2;
    pub(super) const OR: u8 = 3;
    pub(super) const AND: u8 = 4;
    pub(super) const NOT: u8 = 5;
    pub(super) const IS: u8 = 6;
    pub(super) const BETWEEN: u8 = 7;
    pub(super) const COMPARE: u8 = 9;
    pub(super) const CONCAT: u8 = 10;
    pub(super) const ADD: u8 = 11;
    pub(super) const MULTIPLY: u8 = 12;
    pub(super) const NEGATE: u8 = 13;
}

/// What follows an operand.
enum Infix {
    /// Two operands.
    Binary {
        function: &'static str,
        power: u8,
        tokens: usize,
        mergeable: bool,
    },
    Between {
        negated: bool,
    },
    In {
        function: &'static str,
        tokens: usize,
    },
    Is {
        function: &'static str,
        tokens: usize,
    },
    Distinct {
        function: &'static str,
        tokens: usize,
    },
    Ternary,
    Lambda,
}

impl Infix {
    fn power(&self) -> u8 {
        match self {
            Self::Binary { power, .. } => *power,
            Self::Between { .. } => binding::BETWEEN,
            Self::In { .. } => binding::COMPARE,
            Self::Is { .. } | Self::Distinct { .. } => binding::IS,
            Self::Ternary => binding::TERNARY,
            Self::Lambda => binding::LAMBDA,
        }
    }
}

fn binary(function: &'static str, power: u8) -> Infix {
    Infix::Binary {
        function,
        power,
        tokens: 1,
        mergeable: false,
    }
}

fn mergeable(function: &'static str, power: u8) -> Infix {
    Infix::Binary {
        function,
        power,
        tokens: 1,
        mergeable: true,
    }
}

impl Parser<'_> {
    /// An expression without alias.
    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.operators(0)
    }

    /// An expression, perhaps with `AS alias`; `bare` also allows an alias without AS.
    fn with_alias(&mut self, bare: bool) -> Result<Expr> {
        let mut expr = self.expression()?;
        if self.word("AS") || bare && self.is_bare_alias() {
            expr.alias = Some(self.identifier()?);
        }
        Ok(expr)
    }

    /// An item of a list inside brackets.
    pub(super) fn argument(&mut self) -> Result<Expr> {
        self.with_alias(false)
    }

    /// An item of SELECT, WITH, GROUP BY and so on.
    pub(super) fn item(&mut self) -> Result<Expr> {
        self.with_alias(true)
    }

    /// Arguments up to the closing bracket, which is consumed.
    pub(super) fn arguments(&mut self, close: &'static str) -> Result<Vec<Expr>> {
        let mut items = Vec::new();
        while !self.symbol(close) {
            items.push(self.argument()?);
            if items.len() > MAX_LIST_ITEMS {
                return Err(QueryError::new(
                    ErrorCode::TooBigAst,
                    format!("a list has more than {MAX_LIST_ITEMS} items; use a subquery"),
                ));
            }
            if !self.symbol(",") && !self.is_symbol(close) {
                return self.fail(&format!("Expected `,` or `{close}`"));
            }
        }
        Ok(items)
    }

    fn operators(&mut self, lowest: u8) -> Result<Expr> {
        let mut open = None;
        let mut left = self.prefix(&mut open)?;
        let mut links = 0;
        while let Some(infix) = self.infix() {
            if infix.power() <= lowest && !matches!(infix, Infix::Lambda | Infix::Ternary)
                || infix.power() < lowest
            {
                break;
            }
            left = self.apply(left, &infix, &mut open, &mut links)?;
        }
        Ok(left)
    }

    /// NOT, minus, or an operand with its postfixes.
    fn prefix(&mut self, open: &mut Option<&'static str>) -> Result<Expr> {
        *open = None;
        if self.is_word("NOT") && !self.is_name_here() {
            self.advance();
            let inner = self.nested(|parser| parser.operators(binding::NOT))?;
            return Ok(Expr::call("not", vec![inner]));
        }
        if self.is_symbol("-") {
            if let Some(number) = self.negative_number()? {
                return self.postfixes(number);
            }
            self.advance();
            let inner = self.nested(|parser| parser.operators(binding::NEGATE))?;
            return Ok(Expr::call("negate", vec![inner]));
        }
        if self.symbol("+") {
            return self.nested(|parser| parser.operators(binding::NEGATE));
        }
        let operand = self.operand()?;
        self.postfixes(operand)
    }

    /// Whether the current word stands as a plain name: an operator or the end follows.
    fn is_name_here(&self) -> bool {
        match self.kind_at(1) {
            TokenKind::End => true,
            TokenKind::Symbol(symbol) => matches!(*symbol, "," | ")" | "." | "=" | ";"),
            TokenKind::Word(word) => word.eq_ignore_ascii_case("FROM"),
            TokenKind::Quoted(_) | TokenKind::Number(_) | TokenKind::String(_) => false,
        }
    }

    /// Which operator follows, without consuming it.
    fn infix(&self) -> Option<Infix> {
        match self.kind() {
            TokenKind::Symbol(symbol) => symbol_infix(symbol),
            TokenKind::Word(word) => self.word_infix(&word.to_ascii_uppercase()),
            TokenKind::Quoted(_) | TokenKind::Number(_) | TokenKind::String(_) | TokenKind::End => {
                None
            }
        }
    }

    fn word_infix(&self, word: &str) -> Option<Infix> {
        let two = |function| Infix::Binary {
            function,
            power: binding::COMPARE,
            tokens: 2,
            mergeable: false,
        };
        Some(match word {
            "OR" => mergeable("or", binding::OR),
            "AND" => mergeable("and", binding::AND),
            "LIKE" => binary("like", binding::COMPARE),
            "ILIKE" => binary("ilike", binding::COMPARE),
            "REGEXP" | "RLIKE" => binary("match", binding::COMPARE),
            "MOD" => binary("modulo", binding::MULTIPLY),
            "DIV" => binary("intDiv", binding::MULTIPLY),
            "BETWEEN" => Infix::Between { negated: false },
            "IN" => Infix::In {
                function: "in",
                tokens: 1,
            },
            "NOT" if self.word_at(1, "IN") => Infix::In {
                function: "notIn",
                tokens: 2,
            },
            "NOT" if self.word_at(1, "LIKE") => two("notLike"),
            "NOT" if self.word_at(1, "ILIKE") => two("notILike"),
            "NOT" if self.word_at(1, "BETWEEN") => Infix::Between { negated: true },
            "GLOBAL" if self.word_at(1, "IN") => Infix::In {
                function: "globalIn",
                tokens: 2,
            },
            "GLOBAL" if self.words_at(1, &["NOT", "IN"]) => Infix::In {
                function: "globalNotIn",
                tokens: 3,
            },
            "IS" if self.word_at(1, "NULL") => Infix::Is {
                function: "isNull",
                tokens: 2,
            },
            "IS" if self.words_at(1, &["NOT", "NULL"]) => Infix::Is {
                function: "isNotNull",
                tokens: 3,
            },
            "IS" if self.words_at(1, &["DISTINCT", "FROM"]) => Infix::Distinct {
                function: "isDistinctFrom",
                tokens: 3,
            },
            "IS" if self.words_at(1, &["NOT", "DISTINCT", "FROM"]) => Infix::Distinct {
                function: "isNotDistinctFrom",
                tokens: 4,
            },
            _ => return None,
        })
    }

    fn skip(&mut self, tokens: usize) {
        for _ in 0..tokens {
            self.advance();
        }
    }

    /// Combines `left` with the operator that follows. `open` is the call that may still take arguments.
    fn apply(
        &mut self,
        left: Expr,
        infix: &Infix,
        open: &mut Option<&'static str>,
        links: &mut usize,
    ) -> Result<Expr> {
        match *infix {
            Infix::Binary {
                function,
                power,
                tokens,
                mergeable,
            } => {
                self.skip(tokens);
                let right = self.operators(power)?;
                let merges = mergeable && *open == Some(function);
                *open = mergeable.then_some(function);
                if merges {
                    return Ok(merge(left, right, function));
                }
                self.link(links)?;
                Ok(Expr::call(function, vec![left, right]))
            }
            Infix::Between { negated } => {
                self.link(links)?;
                *open = None;
                self.between(left, negated)
            }
            Infix::In { function, tokens } => {
                self.link(links)?;
                *open = None;
                self.skip(tokens);
                let right = self.operators(binding::COMPARE)?;
                Ok(Expr::call(function, vec![left, right]))
            }
            Infix::Is { function, tokens } => {
                self.link(links)?;
                *open = None;
                self.skip(tokens);
                Ok(Expr::call(function, vec![left]))
            }
            Infix::Distinct { function, tokens } => {
                self.link(links)?;
                *open = None;
                self.skip(tokens);
                let right = self.operators(binding::IS)?;
                Ok(Expr::call(function, vec![left, right]))
            }
            Infix::Ternary => {
                *open = None;
                self.advance();
                let yes = self.nested(|parser| parser.operators(0))?;
                self.expect_symbol(":")?;
                let no = self.nested(|parser| parser.operators(binding::TERNARY))?;
                Ok(Expr::call("if", vec![left, yes, no]))
            }
            Infix::Lambda => {
                *open = None;
                self.advance();
                let arguments = self.lambda_arguments(&left)?;
                let body = self.nested(|parser| parser.operators(0))?;
                Ok(Expr::new(ExprKind::Lambda {
                    arguments,
                    body: Box::new(body),
                }))
            }
        }
    }

    fn between(&mut self, value: Expr, negated: bool) -> Result<Expr> {
        self.skip(if negated { 2 } else { 1 });
        let low = self.operators(binding::COMPARE)?;
        self.expect_word("AND")?;
        let high = self.operators(binding::COMPARE)?;
        let (join, below, above) = if negated {
            ("or", "less", "greater")
        } else {
            ("and", "greaterOrEquals", "lessOrEquals")
        };
        // The value is written once and used twice; its alias must not be declared twice.
        let mut again = value.clone();
        again.alias = None;
        Ok(Expr::call(
            join,
            vec![
                Expr::call(below, vec![value, low]),
                Expr::call(above, vec![again, high]),
            ],
        ))
    }

    fn lambda_arguments(&self, left: &Expr) -> Result<Vec<String>> {
        let names: Option<Vec<String>> = if let ExprKind::Tuple(items) = &left.kind {
            items.iter().map(Expr::plain_name).collect()
        } else {
            left.plain_name().map(|name| vec![name])
        };
        match names {
            Some(names) => Ok(names),
            None => self.fail("Expected the names of the lambda's arguments before `->`"),
        }
    }
}

/// Adds an argument to a call of a function that takes many.
fn merge(left: Expr, right: Expr, function: &str) -> Expr {
    match left {
        Expr {
            kind: ExprKind::Call(mut call),
            alias: None,
        } if call.name == function => {
            call.arguments.push(right);
            Expr::new(ExprKind::Call(call))
        }
        left => Expr::new(ExprKind::Call(Box::new(Call::new(
            function,
            vec![left, right],
        )))),
    }
}

fn symbol_infix(symbol: &str) -> Option<Infix> {
    Some(match symbol {
        "->" => Infix::Lambda,
        "?" => Infix::Ternary,
        "=" | "==" => binary("equals", binding::COMPARE),
        "!=" | "<>" => binary("notEquals", binding::COMPARE),
        "<" => binary("less", binding::COMPARE),
        "<=" => binary("lessOrEquals", binding::COMPARE),
        ">" => binary("greater", binding::COMPARE),
        ">=" => binary("greaterOrEquals", binding::COMPARE),
        "<=>" => binary("isNotDistinctFrom", binding::COMPARE),
        "||" => mergeable("concat", binding::CONCAT),
        "+" => binary("plus", binding::ADD),
        "-" => binary("minus", binding::ADD),
        "*" => binary("multiply", binding::MULTIPLY),
        "/" => binary("divide", binding::MULTIPLY),
        "%" => binary("modulo", binding::MULTIPLY),
        _ => return None,
    })
}
