//! `OVER (…)`, `WINDOW w AS (…)` and frames.

use super::super::ast::{Frame, FrameBound, Window, WindowSpec};
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
        if self.words(&["PARTITION", "BY"]) {
            spec.partition_by = self.list(Self::expression)?;
        }
        if self.words(&["ORDER", "BY"]) {
            spec.order_by = self.list(Self::order_key)?;
        }
        if self.is_any_word(&["ROWS", "RANGE"]) {
            spec.frame = Some(self.frame()?);
        }
        self.expect_symbol(")")?;
        Ok(spec)
    }

    fn frame(&mut self) -> Result<Frame> {
        let rows = self.is_word("ROWS");
        self.advance();
        if self.word("BETWEEN") {
            let start = self.frame_bound()?;
            self.expect_word("AND")?;
            let end = self.frame_bound()?;
            return Ok(Frame { rows, start, end });
        }
        Ok(Frame {
            rows,
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
