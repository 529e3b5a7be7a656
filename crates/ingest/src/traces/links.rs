//! Links of spans, as parallel lists.

use std::sync::Arc;

use arrow::array::ArrayRef;
use cairn_storage::ColumnKind;

use crate::attributes::AttributeSet;
use crate::batch::{AttributesColumn, ListOffsets, TextColumn, list_array};
use crate::error::Result;
use crate::ids::WireId;
use crate::limits::MAX_VALUE_BYTES;
use crate::notes::{Notes, Rejection};
use crate::otlp::Fields;

/// The columns `Links.*`, and the links of the span being read.
#[derive(Debug)]
pub(super) struct LinkColumns<'a> {
    /// Kept for their buffers; only the first `pending_count` belong to the span.
    pending: Vec<Link<'a>>,
    pending_count: usize,
    offsets: ListOffsets,
    trace_ids: TextColumn,
    span_ids: TextColumn,
    trace_states: TextColumn,
    attributes: AttributesColumn,
}

#[derive(Debug)]
struct Link<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    trace_state: &'a [u8],
    set: AttributeSet<'a>,
}

impl<'a> Link<'a> {
    fn new() -> Self {
        Self {
            trace_id: &[],
            span_id: &[],
            trace_state: &[],
            set: AttributeSet::new(),
        }
    }

    fn read(&mut self, bytes: &'a [u8], notes: &mut Notes) -> Result<Option<Rejection>> {
        (self.trace_id, self.span_id, self.trace_state) = (&[], &[], &[]);
        self.set.clear();
        let mut fields = Fields::new(bytes, "Link");
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.trace_id = field.bytes()?,
                2 => self.span_id = field.bytes()?,
                3 => self.trace_state = field.bytes()?,
                4 => self.set.add(field.bytes()?, notes)?,
                _ => {}
            }
        }
        let too_long = (self.trace_state.len() > MAX_VALUE_BYTES).then_some(Rejection::Length);
        Ok(self.set.rejection().or(too_long))
    }
}

impl<'a> LinkColumns<'a> {
    pub(super) fn new() -> Self {
        Self {
            pending: Vec::new(),
            pending_count: 0,
            offsets: ListOffsets::new(),
            trace_ids: TextColumn::new(),
            span_ids: TextColumn::new(),
            trace_states: TextColumn::new(),
            attributes: AttributesColumn::new(),
        }
    }

    /// Reads the encoded links of a span; what is returned is the bound they pass.
    pub(super) fn read(
        &mut self,
        links: &[&'a [u8]],
        notes: &mut Notes,
    ) -> Result<Option<Rejection>> {
        self.pending_count = links.len();
        while self.pending.len() < links.len() {
            self.pending.push(Link::new());
        }
        for (link, bytes) in self.pending.iter_mut().zip(links) {
            let rejection = link.read(bytes, notes)?;
            if rejection.is_some() {
                return Ok(rejection);
            }
        }
        Ok(None)
    }

    /// Appends the list of the links that were read last.
    pub(super) fn push(&mut self, notes: &mut Notes) -> Result<()> {
        for link in self.pending.iter_mut().take(self.pending_count) {
            push_hex::<16>(&mut self.trace_ids, link.trace_id, notes);
            push_hex::<8>(&mut self.span_ids, link.span_id, notes);
            self.trace_states.push(link.trace_state);
            link.set.write(&mut self.attributes, notes)?;
        }
        self.offsets.end_list(self.trace_ids.len());
        Ok(())
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.offsets.bytes()
            + self.trace_ids.bytes()
            + self.span_ids.bytes()
            + self.trace_states.bytes()
            + self.attributes.bytes()
    }

    /// `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`.
    pub(super) fn finish(self, notes: &mut Notes) -> Result<[ArrayRef; 4]> {
        let offsets = self.offsets.finish();
        let texts = ColumnKind::TextList.write_type();
        let trace_ids = Arc::new(self.trace_ids.finish(notes)?);
        let span_ids = Arc::new(self.span_ids.finish(notes)?);
        let trace_states = Arc::new(self.trace_states.finish(notes)?);
        let attributes = self.attributes.finish(notes)?;
        Ok([
            list_array(&texts, &offsets, trace_ids)?,
            list_array(&texts, &offsets, span_ids)?,
            list_array(&texts, &offsets, trace_states)?,
            list_array(
                &ColumnKind::AttributesList.write_type(),
                &offsets,
                attributes,
            )?,
        ])
    }
}

/// An id as lower-case hex, nothing when it is absent.
fn push_hex<const N: usize>(column: &mut TextColumn, bytes: &[u8], notes: &mut Notes) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match WireId::<N>::read(bytes) {
        WireId::Present(id) => {
            let out = column.value_buffer();
            for nibble in id.iter().flat_map(|byte| [byte >> 4, byte & 0xf]) {
                out.push(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
            }
        }
        WireId::Absent => {}
        WireId::Invalid => notes.invalid_ids += 1,
    }
    column.end_value();
}
