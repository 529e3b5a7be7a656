//! Exemplars of data points, as parallel lists.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use cairn_storage::{ColumnKind, Nanos, NumberType, hex_text};

use super::fields::{as_double, as_int};
use super::points::whole_seconds;
use crate::attributes::AttributeSet;
use crate::batch::{AttributesColumn, ListOffsets, TextColumn, list_array, timestamps};
use crate::error::Result;
use crate::ids::WireId;
use crate::limits::MAX_EXEMPLARS_COUNT;
use crate::notes::{Notes, Rejection};
use crate::otlp::Fields;

/// The columns `Exemplars.*`, and the exemplars of the point being read.
#[derive(Debug, Default)]
pub(super) struct ExemplarColumns<'a> {
    /// Kept for their buffers; only the first `pending_count` belong to the point.
    pending: Vec<Exemplar<'a>>,
    pending_count: usize,
    refused: Option<Rejection>,
    offsets: ListOffsets,
    attributes: AttributesColumn,
    times: Vec<i64>,
    values: Vec<f64>,
    span_ids: TextColumn,
    trace_ids: TextColumn,
}

#[derive(Debug)]
struct Exemplar<'a> {
    time_unix_nano: u64,
    value: f64,
    span_id: &'a [u8],
    trace_id: &'a [u8],
    set: AttributeSet<'a>,
}

impl<'a> Exemplar<'a> {
    fn new() -> Self {
        Self {
            time_unix_nano: 0,
            value: 0.0,
            span_id: &[],
            trace_id: &[],
            set: AttributeSet::new(),
        }
    }

    fn read(&mut self, bytes: &'a [u8], notes: &mut Notes) -> Result<()> {
        (self.time_unix_nano, self.value) = (0, 0.0);
        (self.span_id, self.trace_id) = (&[], &[]);
        self.set.clear();
        let mut fields = Fields::new(bytes, "Exemplar");
        while let Some(field) = fields.next()? {
            match field.number {
                2 => self.time_unix_nano = field.fixed64()?,
                3 => self.value = as_double(&field)?,
                4 => self.span_id = field.bytes()?,
                5 => self.trace_id = field.bytes()?,
                6 => self.value = as_int(&field)?,
                7 => self.set.add(field.bytes()?, notes)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'a> ExemplarColumns<'a> {
    /// Another point begins.
    pub(super) fn clear(&mut self) {
        self.pending_count = 0;
        self.refused = None;
    }

    /// Reads an encoded exemplar of the point.
    pub(super) fn read(&mut self, bytes: &'a [u8], notes: &mut Notes) -> Result<()> {
        if self.pending_count >= MAX_EXEMPLARS_COUNT {
            self.refused = Some(Rejection::PartCount);
            return Ok(());
        }
        if self.pending_count == self.pending.len() {
            self.pending.push(Exemplar::new());
        }
        if let Some(exemplar) = self.pending.get_mut(self.pending_count) {
            exemplar.read(bytes, notes)?;
            self.refused = self.refused.or_else(|| exemplar.set.rejection());
        }
        self.pending_count += 1;
        Ok(())
    }

    /// The bound that the exemplars pass, if any.
    pub(super) fn rejection(&self) -> Option<Rejection> {
        self.refused
    }

    /// Appends the list of the exemplars of the point, which was measured at `point_nanos`: so were exemplars without
    /// a time.
    pub(super) fn push(&mut self, point_nanos: i64, notes: &mut Notes) -> Result<()> {
        for exemplar in self.pending.iter_mut().take(self.pending_count) {
            let time = whole_seconds(exemplar.time_unix_nano, Nanos(point_nanos));
            notes.clamped_times += u64::from(time.clamped);
            notes.missing_times += u64::from(time.missing);
            self.times.push(time.nanos);
            self.values.push(exemplar.value);
            push_hex::<8>(&mut self.span_ids, exemplar.span_id, notes);
            push_hex::<16>(&mut self.trace_ids, exemplar.trace_id, notes);
            exemplar.set.write(&mut self.attributes, notes)?;
        }
        self.offsets.end_list(self.times.len());
        Ok(())
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.offsets.bytes()
            + self.times.len() * (size_of::<i64>() + size_of::<f64>())
            + self.attributes.bytes()
            + self.span_ids.bytes()
            + self.trace_ids.bytes()
    }

    /// `Exemplars.FilteredAttributes`, `.TimeUnix`, `.Value`, `.SpanId`, `.TraceId`.
    pub(super) fn finish(self, notes: &mut Notes) -> Result<[ArrayRef; 5]> {
        let offsets = self.offsets.finish();
        let texts = ColumnKind::TextList.write_type();
        let attributes = self.attributes.finish(notes)?;
        let values = Arc::new(Float64Array::from(self.values));
        let span_ids = Arc::new(self.span_ids.finish(notes)?);
        let trace_ids = Arc::new(self.trace_ids.finish(notes)?);
        Ok([
            list_array(
                &ColumnKind::AttributesList.write_type(),
                &offsets,
                attributes,
            )?,
            list_array(
                &ColumnKind::SecondsList.write_type(),
                &offsets,
                timestamps(self.times),
            )?,
            list_array(
                &ColumnKind::NumberList(NumberType::Float64).write_type(),
                &offsets,
                values,
            )?,
            list_array(&texts, &offsets, span_ids)?,
            list_array(&texts, &offsets, trace_ids)?,
        ])
    }
}

/// An id as lower-case hex; all zeros when it is absent, as ClickStack's exporter writes them.
fn push_hex<const N: usize>(column: &mut TextColumn, bytes: &[u8], notes: &mut Notes) {
    let id = match WireId::<N>::read(bytes) {
        WireId::Present(id) => id,
        WireId::Absent => [0; N],
        WireId::Invalid => {
            notes.invalid_ids += 1;
            [0; N]
        }
    };
    let mut text = String::with_capacity(2 * N);
    hex_text(&id, &mut text);
    column.push(text.as_bytes());
}
