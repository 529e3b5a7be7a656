//! `OVER (…)`, `WINDOW w AS (…)` and frames.

use super::super::ast::{Frame, FrameBound, FrameUnit, Window, WindowSpec};
use super::{Parser, Result};

impl Parser<'_> {
    /// What follows OVER.
    pub(super) fn over(&mut self) -> Result<Window> {
        if self.symbol("(") {
            let spec = self.nested(Self::window_spec)?;
            return Ok(Window::Spec(spec));
        }
        Ok(Window::Named(self.identifier()?))
    }

    /// The inside of the brackets; the opening one is consumed.
    pub(super) fn window_spec(&mut self) -> Result<WindowSpec> {
        let mut spec = WindowSpec::default();
        let clauses = ["PARTITION", "ORDER", "ROWS", "RANGE", "GROUPS"];
        if !self.is_symbol(")") && !self.is_any_word(&clauses) {
            spec.base = Some(self.identifier()?);
        }
        if self.words(&["PARTITION", "BY"]) {
            spec.partition_by = self.list(Self::expression)?;
        }
        if self.words(&["ORDER", "BY"]) {
            spec.order_by = self.list(Self::order_key)?;
        }
        if self.is_any_word(&["ROWS", "RANGE", "GROUPS"]) {
            spec.frame = Some(self.frame()?);
        }
        self.expect_symbol(")")?;
        Ok(spec)
    }

    fn frame(&mut self) -> Result<Frame> {
        let unit = if self.is_word("ROWS") {
            FrameUnit::Rows
        } else if self.is_word("RANGE") {
            FrameUnit::Range
        } else {
            FrameUnit::Groups
        };
        self.advance();
        if self.word("BETWEEN") {
            let start = self.frame_bound()?;
            self.expect_word("AND")?;
            let end = self.frame_bound()?;
            return Ok(Frame { unit, start, end });
        }
        Ok(Frame {
            unit,
            start: self.frame_bound()?,
            end: FrameBound::CurrentRow,
        })
    }

    fn frame_bound(&mut self) -> Result<FrameBound> {
        if self.words(&["CURRENT", "ROW"]) {
            return Ok(FrameBound::CurrentRow);
        }
        if self.words(&["UNBOUNDED", "PRECEDING"]) {
            return Ok(FrameBound::UnboundedPreceding);
        }
        if self.words(&["UNBOUNDED", "FOLLOWING"]) {
            return Ok(FrameBound::UnboundedFollowing);
        }
        let count = self.unsigned()?;
        if self.word("PRECEDING") {
            return Ok(FrameBound::Preceding(count));
        }
        self.expect_word("FOLLOWING")?;
        Ok(FrameBound::Following(count))
    }
}
