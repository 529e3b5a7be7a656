//! Tables for people: Pretty, PrettyCompact, PrettySpace. All rows are kept until the end, because
//! widths must be known first; so only the first thousand are shown.

use arrow::record_batch::RecordBatch;

use super::column::{Column, Values};
use super::number::push_float64;
use super::value::{Text, push_text};
use super::{FormatError, FormatWriter, Schema, Totals, is_right_aligned};

/// Rows that are shown; the rest is only counted.
const MAX_ROWS: usize = 1000;
/// Characters of one value that are shown.
const MAX_VALUE_CHARS: usize = 10_000;
/// From this many rows on, the names are repeated below the table.
const FOOTER_ROWS: usize = 50;

/// How the table is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// A line between any two rows, heavy lines around the names.
    Full,
    /// The names in the upper line.
    Compact,
    /// No lines.
    Space,
}

/// Pretty*.
pub(super) struct Pretty {
    schema: Schema,
    frame: Frame,
    rows: Vec<Vec<String>>,
    /// All rows, shown or not.
    count: usize,
    tip: String,
}

impl Pretty {
    pub(super) fn new(schema: Schema, frame: Frame) -> Self {
        Self {
            schema,
            frame,
            rows: Vec::new(),
            count: 0,
            tip: String::new(),
        }
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .schema
            .columns
            .iter()
            .map(|column| display_width(column.name.as_bytes()))
            .collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(display_width(cell.as_bytes()));
            }
        }
        widths
    }
}

impl FormatWriter for Pretty {
    fn head(&mut self, _out: &mut Vec<u8>) {}

    fn rows(&mut self, batch: &RecordBatch, _out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        self.count += batch.num_rows();
        for row in 0..batch
            .num_rows()
            .min(MAX_ROWS.saturating_sub(self.rows.len()))
        {
            self.rows
                .push(columns.iter().map(|column| cell(column, row)).collect());
        }
        if let ([column], 1, 1) = (columns.as_slice(), self.count, batch.num_rows()) {
            self.tip = large_number_tip(column, 0);
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, out: &mut Vec<u8>) {
        if self.count == 0 {
            return;
        }
        let table = Table {
            names: self
                .schema
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect(),
            right: self
                .schema
                .columns
                .iter()
                .map(|c| is_right_aligned(&c.ty))
                .collect(),
            widths: self.widths(),
            margin: self.rows.len().to_string().len() + 2,
            rows: &self.rows,
            tip: if self.count == 1 { &self.tip } else { "" },
        };
        let mut text = String::new();
        match self.frame {
            Frame::Full => table.draw_full(&mut text),
            Frame::Compact => table.draw_compact(&mut text),
            Frame::Space => table.draw_space(&mut text),
        }
        if self.count > self.rows.len() {
            text.push_str(&format!(
                "Showed {} out of {} rows.\n",
                self.rows.len(),
                self.count
            ));
        }
        out.extend_from_slice(text.as_bytes());
    }
}

struct Table<'a> {
    names: Vec<&'a str>,
    right: Vec<bool>,
    widths: Vec<usize>,
    /// Characters before the table, where the row numbers stand.
    margin: usize,
    rows: &'a [Vec<String>],
    tip: &'a str,
}

impl Table<'_> {
    /// A line of the frame: `left`, one run of `fill` per column with `between`, `right`.
    fn rule(&self, [left, fill, between, right]: [&str; 4], out: &mut String) {
        out.push_str(&" ".repeat(self.margin));
        for (at, width) in self.widths.iter().enumerate() {
            out.push_str(if at == 0 { left } else { between });
            out.push_str(&fill.repeat(width + 2));
        }
        out.push_str(right);
        out.push('\n');
    }

    /// A line of the frame with the names in it.
    fn named_rule(&self, [left, between, right]: [&str; 3], out: &mut String) {
        out.push_str(&" ".repeat(self.margin));
        for (at, name) in self.names.iter().enumerate() {
            out.push_str(if at == 0 { left } else { between });
            out.push('─');
            let fill = "─".repeat(self.widths[at] - display_width(name.as_bytes()));
            if self.right[at] {
                out.push_str(&fill);
                out.push_str(name);
            } else {
                out.push_str(name);
                out.push_str(&fill);
            }
            out.push('─');
        }
        out.push_str(right);
        out.push('\n');
    }

    fn aligned(&self, at: usize, text: &str, out: &mut String) {
        let fill = " ".repeat(self.widths[at].saturating_sub(display_width(text.as_bytes())));
        if self.right[at] {
            out.push_str(&fill);
            out.push_str(text);
        } else {
            out.push_str(text);
            out.push_str(&fill);
        }
    }

    fn number(&self, row: usize, out: &mut String) {
        let number = format!("{}.", row + 1);
        out.push_str(&" ".repeat((self.margin - 1).saturating_sub(number.len())));
        out.push_str(&number);
        out.push(' ');
    }

    fn framed_row(&self, cells: &[impl AsRef<str>], bar: &str, out: &mut String) {
        for (at, cell) in cells.iter().enumerate() {
            out.push_str(bar);
            out.push(' ');
            self.aligned(at, cell.as_ref(), out);
            out.push(' ');
        }
        out.push_str(bar);
    }

    fn draw_full(&self, out: &mut String) {
        self.rule(["┏", "━", "┳", "┓"], out);
        out.push_str(&" ".repeat(self.margin));
        self.framed_row(&self.names, "┃", out);
        out.push('\n');
        self.rule(["┡", "━", "╇", "┩"], out);
        for (at, row) in self.rows.iter().enumerate() {
            if at > 0 {
                self.rule(["├", "─", "┼", "┤"], out);
            }
            self.number(at, out);
            self.framed_row(row, "│", out);
            out.push_str(self.tip);
            out.push('\n');
        }
        self.rule(["└", "─", "┴", "┘"], out);
    }

    fn draw_compact(&self, out: &mut String) {
        self.named_rule(["┌", "┬", "┐"], out);
        for (at, row) in self.rows.iter().enumerate() {
            self.number(at, out);
            self.framed_row(row, "│", out);
            out.push_str(self.tip);
            out.push('\n');
        }
        if self.rows.len() >= FOOTER_ROWS {
            self.named_rule(["└", "┴", "┘"], out);
        } else {
            self.rule(["└", "─", "┴", "┘"], out);
        }
    }

    fn draw_space(&self, out: &mut String) {
        let last = self.names.len().saturating_sub(1);
        out.push_str(&" ".repeat(self.margin + 1));
        for (at, name) in self.names.iter().enumerate() {
            if at > 0 {
                out.push_str("   ");
            }
            if at == last && !self.right[at] {
                out.push_str(name);
            } else {
                self.aligned(at, name, out);
            }
        }
        out.push_str("\n\n");
        for (number, row) in self.rows.iter().enumerate() {
            self.number(number, out);
            out.push(' ');
            for (at, cell) in row.iter().enumerate() {
                if at > 0 {
                    out.push_str("   ");
                }
                self.aligned(at, cell, out);
            }
            out.push(' ');
            out.push_str(self.tip);
            out.push('\n');
        }
    }
}

fn cell(column: &Column<'_>, row: usize) -> String {
    if column.is_null(row) {
        return "ᴺᵁᴸᴸ".to_owned();
    }
    let mut bytes = Vec::new();
    push_text(column, row, Text::Plain, &mut bytes);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if let Some((cut, _)) = text.char_indices().nth(MAX_VALUE_CHARS) {
        text.truncate(cut);
        text.push('⋯');
    }
    text
}

/// Columns of the text as ClickHouse counts them: wide East Asian characters take two, controls
/// none.
pub(super) fn display_width(text: &[u8]) -> usize {
    String::from_utf8_lossy(text)
        .chars()
        .map(|c| match u32::from(c) {
            0x00..=0x08
            | 0x0B..=0x1F
            | 0x7F
            | 0x0300..=0x036F
            | 0x200B..=0x200F
            | 0xFE00..=0xFE0F => 0,
            0x1100..=0x115F
            | 0x2E80..=0xA4CF
            | 0xAC00..=0xD7A3
            | 0xF900..=0xFAFF
            | 0xFE30..=0xFE6F
            | 0xFF00..=0xFF60
            | 0xFFE0..=0xFFE6
            | 0x20000..=0x3FFFD => 2,
            _ => 1,
        })
        .sum()
}

/// ` -- 4.29 billion` after a single large number.
pub(super) fn large_number_tip(column: &Column<'_>, row: usize) -> String {
    let value = match &column.values {
        Values::UInt32(values) => Some(f64::from(values[row])),
        Values::Int32(values) => Some(f64::from(values[row])),
        Values::UInt64(values) => exact(values[row]),
        Values::Int64(values) => {
            let magnitude = exact(values[row].unsigned_abs());
            if values[row] < 0 {
                magnitude.map(|value| -value)
            } else {
                magnitude
            }
        }
        Values::Float32(values) => Some(f64::from(values[row])),
        Values::Float64(values) => Some(values[row]),
        Values::UInt8(_)
        | Values::UInt16(_)
        | Values::Int8(_)
        | Values::Int16(_)
        | Values::Bool(_)
        | Values::String(_)
        | Values::FixedString(..)
        | Values::Date(_)
        | Values::Date32(_)
        | Values::DateTime(..)
        | Values::DateTime64(..)
        | Values::Uuid(_)
        | Values::Enum8(..)
        | Values::Interval(_)
        | Values::Decimal(..)
        | Values::Array(..)
        | Values::Tuple(_)
        | Values::Map(..)
        | Values::Nothing => None,
    };
    match value {
        Some(value) if value.is_finite() && value.abs() >= 1e6 && !column.is_null(row) => {
            readable_quantity(value)
        }
        _ => String::new(),
    }
}

fn readable_quantity(value: f64) -> String {
    const UNITS: [&str; 22] = [
        "",
        " thousand",
        " million",
        " billion",
        " trillion",
        " quadrillion",
        " quintillion",
        " sextillion",
        " septillion",
        " octillion",
        " nonillion",
        " decillion",
        " undecillion",
        " duodecillion",
        " tredecillion",
        " quattuordecillion",
        " quindecillion",
        " sexdecillion",
        " septendecillion",
        " octodecillion",
        " novemdecillion",
        " vigintillion",
    ];
    let (mut rest, mut unit) = (value, 0);
    while rest.abs() >= 1000.0 && unit + 1 < UNITS.len() {
        rest /= 1000.0;
        unit += 1;
    }
    if rest.abs() < 1e21 {
        return format!(" -- {rest:.2}{}", UNITS[unit]);
    }
    let mut digits = Vec::new();
    push_float64(rest, &mut digits);
    format!(" -- {}{}", String::from_utf8_lossy(&digits), UNITS[unit])
}

/// An integer that a float holds exactly; larger ones get no tip.
fn exact(value: u64) -> Option<f64> {
    let high = u32::try_from(value >> 32)
        .ok()
        .filter(|high| *high < 1 << 21)?;
    let low = u32::try_from(value & u64::from(u32::MAX)).ok()?;
    Some(f64::from(high) * 4_294_967_296.0 + f64::from(low))
}
