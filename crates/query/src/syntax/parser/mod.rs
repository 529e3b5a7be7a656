//! Tokens to a syntax tree: the cursor that every clause uses, and the bounds it keeps.

mod clauses;
mod definition;
mod expression;
mod forms;
mod from;
mod literals;
mod names;
mod operand;
mod select;
mod show;
mod spans;
mod statement;
mod types;
mod window;

#[cfg(test)]
mod tests;

use super::ast::{Expr, Parsed, Query};
use super::error::syntax_error;
use super::lexer::{Token, TokenKind, tokens};
use crate::error::{ErrorCode, QueryError};
use crate::limits::{MAX_CHAIN_LINKS, MAX_NESTING, MAX_TOTAL_CHAIN_LINKS};

type Result<T, E = QueryError> = std::result::Result<T, E>;

/// Parses an expression of our own, such as that of a computed column.
pub(crate) fn parse_expression(text: &str) -> Result<Expr> {
    let mut parser = Parser::new(text, &[])?;
    let expr = parser.expression()?;
    if *parser.kind() == TokenKind::End {
        return Ok(expr);
    }
    parser.fail("Expected the end of the expression")
}

/// Parses a query of our own, such as that of a derived table.
pub(crate) fn parse_query(text: &str) -> Result<Query> {
    let mut parser = Parser::new(text, &[])?;
    parser.query()
}

/// Parses one statement. `parameters` are the values of `{name:Type}` as they came.
pub(crate) fn parse(text: &str, parameters: &[(String, String)]) -> Result<Parsed> {
    let mut parser = Parser::new(text, parameters)?;
    parser.next_query = Some(0);
    parser.only_statement()
}

/// The cursor.
struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    nesting: usize,
    chain_links: usize,
    arms: usize,
    /// The number of the next query; none in texts of our own.
    next_query: Option<u32>,
    parameters: &'a [(String, String)],
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, parameters: &'a [(String, String)]) -> Result<Self> {
        Ok(Self {
            text,
            tokens: tokens(text)?,
            at: 0,
            nesting: 0,
            chain_links: 0,
            arms: 0,
            next_query: None,
            parameters,
        })
    }
}

impl Parser<'_> {
    fn kind_at(&self, ahead: usize) -> &TokenKind {
        self.tokens
            .get(self.at + ahead)
            .map_or(&TokenKind::End, |token| &token.kind)
    }

    fn kind(&self) -> &TokenKind {
        self.kind_at(0)
    }

    fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    /// First byte of the current token.
    fn offset(&self) -> usize {
        self.tokens
            .get(self.at)
            .map_or(self.text.len(), |token| token.start)
    }

    /// An error at the current token.
    fn fail<T>(&self, what: &str) -> Result<T> {
        Err(syntax_error(self.text, self.offset(), what))
    }

    fn word_at(&self, ahead: usize, word: &str) -> bool {
        matches!(self.kind_at(ahead), TokenKind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn words_at(&self, ahead: usize, words: &[&str]) -> bool {
        words
            .iter()
            .enumerate()
            .all(|(index, word)| self.word_at(ahead + index, word))
    }

    fn is_word(&self, word: &str) -> bool {
        self.word_at(0, word)
    }

    fn is_any_word(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(word))
    }

    /// Consumes the words if all of them follow.
    fn words(&mut self, words: &[&str]) -> bool {
        let found = self.words_at(0, words);
        if found {
            for _ in words {
                self.advance();
            }
        }
        found
    }

    fn word(&mut self, word: &str) -> bool {
        self.words(&[word])
    }

    fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.word(word) {
            Ok(())
        } else {
            self.fail(&format!("Expected {word}"))
        }
    }

    fn symbol_at(&self, ahead: usize, symbol: &str) -> bool {
        matches!(self.kind_at(ahead), TokenKind::Symbol(found) if *found == symbol)
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        self.symbol_at(0, symbol)
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<()> {
        if self.symbol(symbol) {
            Ok(())
        } else {
            self.fail(&format!("Expected `{symbol}`"))
        }
    }

    /// A bare or quoted name, or `{x:Identifier}`.
    fn identifier(&mut self) -> Result<String> {
        let name = match self.kind() {
            TokenKind::Word(name) | TokenKind::Quoted(name) => name.clone(),
            TokenKind::Symbol("{") => return self.identifier_parameter(),
            TokenKind::Number(_) | TokenKind::String(_) | TokenKind::Symbol(_) | TokenKind::End => {
                return self.fail("Expected an identifier");
            }
        };
        self.advance();
        Ok(name)
    }

    /// Items separated by commas; at least one. A comma before what cannot be an item ends the list.
    fn list<T>(&mut self, item: fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Runs `inner` one level deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting >= MAX_NESTING {
            return Err(QueryError::new(
                ErrorCode::TooDeepAst,
                format!("the query is nested deeper than {MAX_NESTING} levels; flatten it"),
            ));
        }
        self.nesting += 1;
        let result = inner(self);
        self.nesting -= 1;
        result
    }

    /// Counts one link of an operator chain that has `links` of them so far.
    fn link(&mut self, links: &mut usize) -> Result<()> {
        *links += 1;
        if *links > 1 {
            self.chain_links += 1;
        }
        if *links > MAX_CHAIN_LINKS || self.chain_links > MAX_TOTAL_CHAIN_LINKS {
            return Err(QueryError::new(
                ErrorCode::TooDeepAst,
                format!(
                    "a chain of operators is longer than {MAX_CHAIN_LINKS} (all chains together: {MAX_TOTAL_CHAIN_LINKS}); use brackets, arrays or IN"
                ),
            ));
        }
        Ok(())
    }
}
